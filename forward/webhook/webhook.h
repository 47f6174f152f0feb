// `type: webhook`: alerts as HTTP POSTs of JSON, to a program or to a chat.
//
//   format: json      {"node": …, "alerts": [ … ]}, each alert as it stands in `_audit`
//   format: dingtalk, wecom, feishu, slack
//                     a text message as these want it; with `secret_file` signed as DingTalk and Feishu want it
//   template: …       any JSON in which {text} stands for the text
//
// An answer of 2xx takes the letter, and of the chats the code 0 in its body. Redirects are not followed.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "forward/route/link.h"
#include "forward/route/route.h"

namespace yushi::forward {

struct WebhookFormat {
  std::string name, before, after;  // of the text, which is a JSON string
  std::string code;                 // in the answer: 0 when it was taken; empty: its status says all
  size_t text_bytes_max = 16'000;
};

struct WebhookTarget {
  LinkSettings link;
  std::string host;    // as the header has it
  std::string target;  // path and query, at least "/"
};
// invalid: it is no URL of http or https.
Result<WebhookTarget> webhook_target(std::string_view url, const LinkSettings& tls);

const WebhookFormat* webhook_format(std::string_view name);  // nullptr: there is none

// What is posted, and where. With a secret it is signed for `now_ns`.
struct WebhookRequest {
  std::string target, body;
};
WebhookRequest webhook_request(const WebhookFormat& format, std::string_view target, std::string_view secret,
                               const Letter& letter, const std::string& node, int64_t now_ns);

// The words of an answer that did not take the letter; empty: it was taken.
std::string webhook_refusal(const WebhookFormat& format, unsigned status, std::string_view body);

std::unique_ptr<ForwarderConfig> read_webhook(Walk& walk, const YAML::Node& node);

}  // namespace yushi::forward
