#include "core/web/script_check.h"

#include <algorithm>
#include <cstddef>

#include "core/web/word_set.h"

namespace yushi {
namespace {

constexpr size_t kTagBytesMax = 2048;

bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_name_byte(char c) {  // letters of other languages too
  return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '/'; }

// Elements of HTML, SVG and MathML that are put into pages to run something or to load what does. Others, as `b` and
// `table`, only look different: of them what an attribute runs.
constexpr WordSet kRunning(
    {"script",        "iframe",        "frame",   "frameset", "object",       "embed",    "applet",
     "svg",           "math",          "base",    "link",     "meta",         "style",    "layer",
     "ilayer",        "bgsound",       "isindex", "keygen",   "portal",       "animate",  "animatetransform",
     "animatemotion", "foreignobject", "maction", "mglyph",   "event-source", "noscript", "noembed",
     "noframes",      "plaintext",     "xmp",     "listing",  "template",     "slot",     "xss"});
// Elements whose content is text: what ends one gets out to where tags count.
constexpr WordSet kTexts({"script", "style", "title", "textarea", "noscript", "noembed", "noframes", "xmp", "iframe",
                          "select", "template", "svg", "math"});
// Handlers by what browsers call.
constexpr WordSet kEvents({"abort",
                           "activate",
                           "afterprint",
                           "afterscriptexecute",
                           "animationcancel",
                           "animationend",
                           "animationiteration",
                           "animationstart",
                           "auxclick",
                           "beforecopy",
                           "beforecut",
                           "beforeinput",
                           "beforepaste",
                           "beforeprint",
                           "beforetoggle",
                           "beforescriptexecute",
                           "beforeunload",
                           "begin",
                           "blur",
                           "bounce",
                           "cancel",
                           "canplay",
                           "canplaythrough",
                           "change",
                           "click",
                           "close",
                           "contextmenu",
                           "copy",
                           "cuechange",
                           "cut",
                           "dblclick",
                           "drag",
                           "dragend",
                           "dragenter",
                           "dragleave",
                           "dragover",
                           "dragstart",
                           "drop",
                           "durationchange",
                           "end",
                           "ended",
                           "error",
                           "finish",
                           "focus",
                           "focusin",
                           "focusout",
                           "formdata",
                           "fullscreenchange",
                           "gotpointercapture",
                           "hashchange",
                           "input",
                           "invalid",
                           "keydown",
                           "keypress",
                           "keyup",
                           "load",
                           "loadeddata",
                           "loadedmetadata",
                           "loadend",
                           "loadstart",
                           "lostpointercapture",
                           "message",
                           "mousedown",
                           "mouseenter",
                           "mouseleave",
                           "mousemove",
                           "mouseout",
                           "mouseover",
                           "mouseup",
                           "mousewheel",
                           "offline",
                           "online",
                           "pagehide",
                           "pageshow",
                           "paste",
                           "pause",
                           "play",
                           "playing",
                           "pointercancel",
                           "pointerdown",
                           "pointerenter",
                           "pointerleave",
                           "pointermove",
                           "pointerout",
                           "pointerover",
                           "pointerrawupdate",
                           "pointerup",
                           "popstate",
                           "progress",
                           "propertychange",
                           "ratechange",
                           "readystatechange",
                           "repeat",
                           "reset",
                           "resize",
                           "scroll",
                           "scrollend",
                           "search",
                           "seeked",
                           "seeking",
                           "select",
                           "selectionchange",
                           "selectstart",
                           "show",
                           "stalled",
                           "start",
                           "storage",
                           "submit",
                           "suspend",
                           "timeupdate",
                           "toggle",
                           "touchcancel",
                           "touchend",
                           "touchmove",
                           "touchstart",
                           "transitioncancel",
                           "transitionend",
                           "transitionrun",
                           "transitionstart",
                           "unhandledrejection",
                           "unload",
                           "volumechange",
                           "waiting",
                           "webkitanimationend",
                           "webkittransitionend",
                           "wheel",
                           "zoom"});

// `onload`, and what a filter that takes such words out once leaves: `ononloadload`.
bool is_handler(std::string_view name) {
  if (!name.starts_with("on") || name.size() < 5) return false;
  name.remove_prefix(2);
  if (kEvents.has(name)) return true;
  if (name.size() < 10) return false;
  for (auto long_one : {"mouseover", "mouseenter", "mousemove", "onload", "onerror", "onclick", "onfocus"})
    if (name.find(long_one) != name.npos) return true;
  return false;
}

// A name that stands at `at`, with `=` behind it, as `onload =`.
std::string_view assigned_name(std::string_view text, size_t at) {
  size_t to = at;
  while (to < text.size() && to - at < 64 && (is_name_byte(text[to]) || text[to] == '-' || text[to] == ':')) ++to;
  size_t behind = to;
  while (behind < text.size() && behind - to < 64 && is_blank(text[behind])) ++behind;
  return behind < text.size() && text[behind] == '=' ? text.substr(at, to - at) : std::string_view();
}

// `javascript:`, also cut up by blanks, at `at`.
bool is_script_address(std::string_view text, size_t at) {
  for (std::string_view scheme :
       {"javascript:", "vbscript:", "livescript:", "mocha:", "data:text/html", "data:image/svg",
        "data:application/x-javascript", "data:text/javascript", "data:,", "jar:http"}) {
    size_t i = at, k = 0;
    for (; i < text.size() && k < scheme.size() && i - at < 128; ++i) {
      if (text[i] == scheme[k]) {
        ++k;
      } else if (k == 0 || static_cast<unsigned char>(text[i]) > 0x20) {
        break;
      }
    }
    if (k == scheme.size()) return true;
  }
  return false;
}

// An attribute of this name whose value, at `behind` its name, runs something.
bool runs(std::string_view attribute, std::string_view text, size_t behind) {
  if (is_handler(attribute) || attribute == "srcdoc") return true;
  const bool is_style = attribute == "style";
  if (!is_style && attribute != "href" && attribute != "src" && attribute != "xlink:href" && attribute != "action" &&
      attribute != "formaction" && attribute != "background" && attribute != "dynsrc" && attribute != "lowsrc" &&
      attribute != "poster" && attribute != "data")
    return false;
  while (behind < text.size() && (is_blank(text[behind]) || text[behind] == '=' || text[behind] == '"' ||
                                  text[behind] == '\'' || text[behind] == '`'))
    ++behind;
  if (!is_style) return is_script_address(text, behind);
  const auto style = text.substr(behind, std::min(text.find('>', behind), behind + 256) - behind);
  for (auto word : {"expression", "javascript", "behavior", "-moz-binding", "@import"})
    if (style.find(word) != style.npos) return true;
  return false;
}

// Of `<`, what is behind it.
bool is_tag(std::string_view text) {
  size_t at = 0;
  const bool closes = !text.empty() && text[0] == '/';
  while (at < text.size() && at < 16 && is_blank(text[at])) ++at;
  const bool after_blank = at > (closes ? 1 : 0);
  for (auto beginning : {"!entity", "![cdata[", "!--#", "!--[", "?import", "xss", "importimplementation"})
    if (text.substr(at).starts_with(beginning)) return true;
  size_t to = at;
  while (to < text.size() && to - at < 24 && (is_name_byte(text[to]) || text[to] == '-')) ++to;
  auto name = text.substr(at, to - at);
  if (name.empty()) return false;
  if (to < text.size() && text[to] == ':') {  // x:script
    const size_t begin = ++to;
    while (to < text.size() && to - begin < 24 && is_name_byte(text[to])) ++to;
    name = text.substr(begin, to - begin);
  }
  const char behind = to < text.size() ? text[to] : '\0';
  const bool whole = behind == '\0' || behind == '>' || behind == '<' || is_blank(behind) || behind == '"' ||
                     behind == '\'' || behind == '=';
  if (whole && (!after_blank || name.size() > 3) && (closes ? kTexts.has(name) : kRunning.has(name))) return true;
  // <scr<script>ipt>: of a filter that takes words out
  if (name.starts_with("scr") && (behind == '<' || name.find("script") != name.npos)) return true;
  for (size_t i = to; i < text.size() && i < kTagBytesMax && text[i] != '>' && text[i] != '<'; ++i) {
    if (!is_blank(text[i]) && text[i] != '"' && text[i] != '\'') continue;
    const auto attribute = assigned_name(text, i + 1);
    if (!attribute.empty() && runs(attribute, text, i + 1 + attribute.size())) return true;
    i += attribute.size();
  }
  return false;
}

// Calls and properties that attacks use; `what` stands where no name goes on before it.
constexpr WordSet kCalls({"alert",
                          "prompt",
                          "confirm",
                          "eval",
                          "settimeout",
                          "setinterval",
                          "execscript",
                          "atob",
                          "unescape",
                          "decodeuri",
                          "decodeuricomponent",
                          "fromcharcode",
                          "string.fromcharcode",
                          "expression",
                          "function",
                          "fetch",
                          "import",
                          "open",
                          "print",
                          "msgbox",
                          "console.log",
                          "constructor",
                          "getselection"});
constexpr WordSet kProperties({"document.cookie",
                               "document.write",
                               "document.location",
                               "document.domain",
                               "document.url",
                               "document.body",
                               "document.createelement",
                               "document.getelement",
                               "document.documentelement",
                               "document.referrer",
                               "document.forms",
                               "document.scripts",
                               "document.head",
                               "document.title",
                               "document.all",
                               "window.location",
                               "window.name",
                               "window.open",
                               "window.eval",
                               "window.alert",
                               "window.onerror",
                               "location.href",
                               "location.hash",
                               "location.replace",
                               "location.assign",
                               "top.location",
                               "self.location",
                               "parent.location",
                               "parent.frames",
                               "top.frame",
                               "innerhtml",
                               "outerhtml",
                               "insertadjacenthtml",
                               "localstorage.",
                               "sessionstorage.",
                               "xmlhttprequest",
                               "activexobject",
                               "-moz-binding",
                               "behavior:url",
                               "fromcharcode",
                               "__proto__",
                               "constructor.constructor",
                               "window[",
                               "document[",
                               "self[",
                               "top[",
                               "globalthis",
                               "reflect.",
                               "navigator.sendbeacon",
                               "createelement(",
                               ".cookie;",
                               ".cookie=",
                               "xmlns=",
                               "xlink:href",
                               "@import",
                               "srcdoc="});
// Of these, only with what makes a call of them.
constexpr WordSet kStrictCalls({"function", "open", "print", "import", "fetch", "confirm", "prompt", "constructor",
                                "expression", "unescape", "atob"});

bool is_call(std::string_view text, size_t at, std::string_view name) {
  size_t i = at + name.size();
  // alert(1), alert`1`, alert /**/ (1), (alert)(1)
  bool gap = false;
  while (i < text.size() && i - at < name.size() + 64 &&
         (static_cast<unsigned char>(text[i]) <= 0x20 || text[i] == ')')) {
    gap |= text[i] != ')';
    ++i;
  }
  if (text.substr(i, 2) == "/*")
    if (const auto to = text.substr(0, i + 128).find("*/", i + 2); to != text.npos) i = to + 2;
  if (i >= text.size()) return false;
  if (text[i] == '`') return at == 0 || text[at - 1] != '`';  // a `name` that people set so
  if (text[i] != '(') return text.substr(i).starts_with(".call(") || text.substr(i).starts_with(".apply(");
  // "an alert (red)"
  if (gap &&
      (kStrictCalls.has(name) || (at > 0 && text[at - 1] == ' ' && i + 1 < text.size() && is_letter(text[i + 1]))))
    return false;
  if (name == "function" || name == "open" || name == "print" || name == "import" || name == "constructor") {
    // said with a body, as code
    const auto rest = text.substr(i, 64);
    if (name == "function") return rest.find('{') != rest.npos;
    if (name == "import" || name == "constructor")
      return rest.size() > 1 && (rest[1] == '\'' || rest[1] == '"' || rest[1] == '`' || rest[1] == '/');
    return at > 0 && (text[at - 1] == ';' || text[at - 1] == '"' || text[at - 1] == '\'' || text[at - 1] == '-');
  }
  return true;
}

bool is_code(std::string_view text) {
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    const bool begins = at == 0 || !is_name_byte(text[at - 1]);
    if (!begins && c != '.') continue;
    if (begins && is_letter(c)) {
      size_t to = at;
      while (to < text.size() && to - at < 24 && (is_name_byte(text[to]) || text[to] == '.')) ++to;
      auto name = text.substr(at, to - at);
      const char behind = to < text.size() ? text[to] : 'a';
      const bool may_call = behind == '(' || behind == '`' || behind == ')' || behind == '/' ||
                            static_cast<unsigned char>(behind) <= 0x20 || name.size() > 5;
      if (may_call && kCalls.has(name) && is_call(text, at, name)) return true;
      if (const auto dot = name.rfind('.'); dot != name.npos) {
        const auto last = name.substr(dot + 1);
        if ((last == "fromcharcode" || last == "alert" || last == "eval" || last == "constructor") &&
            is_call(text, at + dot + 1, last))
          return true;
        // [].map.call`…`
        if ((last == "call" || last == "apply") && to < text.size() && text[to] == '`') return true;
      }
    }
    // An attribute that is put in where a quote or a blank ends the one before.
    if (c == 'o' && at > 0 &&
        (is_blank(text[at - 1]) || text[at - 1] == '"' || text[at - 1] == '\'' || text[at - 1] == '`' ||
         text[at - 1] == ';') &&
        is_handler(assigned_name(text, at)))
      return true;
    if ((c == 'j' || c == 'v' || c == 'd' || c == 'l' || c == 'm') && is_script_address(text, at)) {
      // "javascript: the good parts" is a book
      const bool alone = at == 0 || text[at - 1] == '"' || text[at - 1] == '\'' || text[at - 1] == '=' ||
                         text[at - 1] == '(' || text[at - 1] == '/' || text[at - 1] == ' ' || text[at - 1] == '>' ||
                         text[at - 1] == ';';
      const auto rest = text.substr(at, 256);
      if (alone && rest.find_first_of("(`\\=<%[;", 6) != rest.npos) return true;
      if (alone && rest.starts_with("data:text/html")) return true;
    }
    if (kProperties.begins(text.substr(at))) return true;
  }
  // [] . sort . call `
  for (size_t at = text.find('`'); at != text.npos; at = text.find('`', at + 1)) {
    size_t to = at;
    while (to > 0 && at - to < 64 && text[to - 1] == ' ') --to;
    const auto before = text.substr(0, to);
    if (!before.ends_with("call") && !before.ends_with("apply")) continue;
    for (to -= before.ends_with("call") ? 4 : 5; to > 0 && at - to < 64 && text[to - 1] == ' ';) --to;
    if (to > 0 && text[to - 1] == '.') return true;
  }
  return false;
}

}  // namespace

bool is_script_injection(std::string_view lowered) {
  for (size_t at = lowered.find('<'); at != lowered.npos; at = lowered.find('<', at + 1))
    if (is_tag(lowered.substr(at + 1))) return true;
  return is_code(lowered);
}

}  // namespace yushi
