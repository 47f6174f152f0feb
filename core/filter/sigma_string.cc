#include "core/filter/sigma_string.h"

#include "core/base/bytes.h"
#include "core/base/text.h"

namespace yushi {

SigmaString SigmaString::parse(std::string_view text) {
  SigmaString out;
  std::string literal;
  auto flush = [&] {
    if (!literal.empty()) out.pieces.push_back({Piece::Kind::literal, std::move(literal)});
    literal.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size() && (text[i + 1] == '*' || text[i + 1] == '?' || text[i + 1] == '\\')) {
      literal += text[++i];
    } else if (c == '*' || c == '?') {
      flush();
      out.pieces.push_back({c == '*' ? Piece::Kind::any_run : Piece::Kind::any_one, {}});
    } else {
      literal += c;
    }
  }
  flush();
  return out;
}

SigmaString SigmaString::literal(std::string_view text) {
  SigmaString out;
  if (!text.empty()) out.pieces.push_back({Piece::Kind::literal, std::string(text)});
  return out;
}

bool SigmaString::has_wildcard() const {
  for (const Piece& piece : pieces)
    if (piece.kind != Piece::Kind::literal) return true;
  return false;
}

std::string SigmaString::text() const {
  std::string out;
  for (const Piece& piece : pieces) out += piece.text;
  return out;
}

StringPattern SigmaString::pattern(bool folds, bool open_begin, bool open_end) const {
  StringPattern out(folds);
  if (open_begin) out.add_any_run();
  for (const Piece& piece : pieces) {
    switch (piece.kind) {
      case Piece::Kind::literal:
        out.add_literal(piece.text);
        break;
      case Piece::Kind::any_one:
        out.add_any_one();
        break;
      case Piece::Kind::any_run:
        out.add_any_run();
        break;
    }
  }
  if (open_end) out.add_any_run();
  out.finish();
  return out;
}

Result<std::vector<SigmaString>> windash_variants(const SigmaString& string) {
  static constexpr std::string_view kDashes[] = {"-", "/", "–", "—", "―"};
  // An option's dash: no word character before it, one after it.
  std::vector<SigmaString> variants(1);
  size_t dashes = 0;
  bool word_before = false;
  for (const SigmaString::Piece& piece : string.pieces) {
    std::string_view text = piece.text;
    if (piece.kind != SigmaString::Piece::Kind::literal) {
      for (SigmaString& variant : variants) variant.pieces.push_back(piece);
      word_before = false;
      continue;
    }
    for (SigmaString& variant : variants) variant.pieces.push_back({piece.kind, {}});
    for (size_t i = 0; i < text.size(); ++i) {
      bool is_dash =
          (text[i] == '-' || text[i] == '/') && !word_before && i + 1 < text.size() && is_word_byte(text[i + 1]);
      word_before = is_word_byte(text[i]);
      if (!is_dash) {
        for (SigmaString& variant : variants) variant.pieces.back().text += text[i];
        continue;
      }
      if (++dashes > 4)
        return fail(Code::refused, "|windash with more than four options in one string is not supported");
      std::vector<SigmaString> more;
      for (const SigmaString& variant : variants)
        for (std::string_view dash : kDashes) {
          more.push_back(variant);
          more.back().pieces.back().text += dash;
        }
      variants = std::move(more);
    }
  }
  return variants;
}

std::string utf16_bytes(std::string_view utf8, bool big_endian, bool with_mark) {
  std::string out;
  auto put = [&](uint32_t unit) {
    char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xff);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  };
  if (with_mark) put(0xfeff);
  for (size_t at = 0; at < utf8.size();) {
    CodePoint point = decode_utf8(utf8, at);
    if (point.length == 0) {
      put(0xfffd);
      ++at;
      continue;
    }
    if (point.code >= 0x10000) {
      put(0xd800 + ((point.code - 0x10000) >> 10));
      put(0xdc00 + ((point.code - 0x10000) & 0x3ff));
    } else {
      put(point.code);
    }
    at += point.length;
  }
  return out;
}

std::vector<std::string> base64_alignments(std::string_view bytes) {
  static constexpr size_t kSkip[] = {0, 2, 3};  // characters that hold bits of what stands before
  std::vector<std::string> out;
  for (size_t before = 0; before < 3; ++before) {
    std::string padded(before, ' ');
    padded += bytes;
    std::string encoded = to_base64(padded);
    size_t drop = padded.size() % 3 == 0 ? 0 : padded.size() % 3 == 1 ? 3 : 2;  // and of what stands behind
    if (encoded.size() > kSkip[before] + drop)
      out.push_back(encoded.substr(kSkip[before], encoded.size() - drop - kSkip[before]));
  }
  return out;
}

}  // namespace yushi
