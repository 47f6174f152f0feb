// The note, byte by byte (C2SP signed-note and tlog-checkpoint):
//
//   log-01.gov.example/finance\n       origin, also the key's name
//   1048576\n                          tree size
//   <base64 of the root>\n             these three lines are what is signed
//   \n
//   — log-01.gov.example/finance <base64 of key-hash(4) || signature(64)>\n
//
// Other signatures may stand beside ours (witnesses); they are passed over.
#include "core/ledger/checkpoint.h"

#include <charconv>
#include <cstring>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "core/base/bytes.h"
#include "core/base/name.h"

namespace yushi {
namespace {

constexpr char kEd25519 = 0x01;                      // the note's number for the algorithm
constexpr std::string_view kDash = "\xe2\x80\x94 ";  // U+2014 and a blank
constexpr size_t kSignatureBytes = 64, kKeyBytes = 32, kKeyHashBytes = 4;

// SHA-256(name || LF || 0x01 || public key), first 4 bytes.
std::string key_hash(std::string_view name, std::string_view public_bytes) {
  std::string head(name);
  head += '\n';
  head += kEd25519;
  return std::string(as_bytes(sha256(head, public_bytes)).substr(0, kKeyHashBytes));
}

// The next line without its LF; false when there is no LF.
bool take_line(std::string_view& rest, std::string_view* line) {
  size_t end = rest.find('\n');
  if (end == rest.npos) return false;
  *line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return true;
}

tl::unexpected<Error> malformed(const char* what) {
  return fail(Code::invalid, std::string("reading a checkpoint: ") + what + "; give the whole file, unchanged");
}

struct Verifier {
  std::string name;
  std::string public_bytes;
};

Result<Verifier> parse_verifier_line(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  size_t first = line.find('+');
  size_t second = first == line.npos ? first : line.find('+', first + 1);
  auto bad = [] {
    return fail(Code::invalid,
                "reading a verifier line: it is not <origin>+<8 hex digits>+<base64>; copy the whole line");
  };
  if (second == line.npos) return bad();
  Verifier out;
  out.name = line.substr(0, first);
  auto key = from_base64(line.substr(second + 1));
  if (!is_signer_name(out.name) || !key || key->size() != 1 + kKeyBytes || (*key)[0] != kEd25519) return bad();
  out.public_bytes = key->substr(1);
  if (line.substr(first + 1, second - first - 1) != to_hex(key_hash(out.name, out.public_bytes)))
    return fail(Code::invalid,
                "reading a verifier line: its hash is not that of its name and key; copy the whole line again");
  return out;
}

}  // namespace

bool verify_text(std::string_view public_bytes, std::string_view text, std::string_view signature) {
  auto* key = EVP_PKEY_new_raw_public_key(
      EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(public_bytes.data()), public_bytes.size());
  if (!key) return false;
  auto* context = EVP_MD_CTX_new();
  bool holds = context && EVP_DigestVerifyInit(context, nullptr, nullptr, nullptr, key) == 1 &&
               EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(key);
  if (!holds) ERR_clear_error();  // a later TLS call of this thread would take it for its own
  return holds;
}

std::string Checkpoint::body() const {
  return origin + '\n' + std::to_string(size) + '\n' + to_base64(as_bytes(root)) + '\n';
}

Result<Checkpoint> Checkpoint::parse_body(std::string_view note) {
  std::string_view name, digits, hash;
  if (!take_line(note, &name) || !take_line(note, &digits) || !take_line(note, &hash))
    return malformed("it has not three lines");
  if (!note.empty() && note[0] != '\n') return malformed("a line that we do not know stands under the root");
  if (!is_signer_name(name)) return malformed("its first line is no origin");
  Checkpoint out;
  out.origin = name;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.size);
  // One number has one text, or two notes of the same tree could differ.
  if (error != std::errc() || end != digits.data() + digits.size() || (digits[0] == '0' && digits.size() > 1))
    return malformed("its second line is no tree size");
  auto root = from_base64(hash);
  if (!root || root->size() != sizeof(Hash)) return malformed("its third line is no SHA-256 in base64");
  std::memcpy(out.root.data(), root->data(), sizeof(Hash));
  return out;
}

std::string make_verifier_line(std::string_view origin, std::string_view public_bytes) {
  std::string key(1, kEd25519);
  key += public_bytes;
  return std::string(origin) + '+' + to_hex(key_hash(origin, public_bytes)) + '+' + to_base64(key);
}

Result<std::string> SigningKey::sign_text(std::string_view text) const {
  std::string signature(kSignatureBytes, '\0');
  size_t bytes = signature.size();
  auto* context = EVP_MD_CTX_new();
  bool is_signed = context &&
                   EVP_DigestSignInit(context, nullptr, nullptr, nullptr, static_cast<EVP_PKEY*>(key_.get())) == 1 &&
                   EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &bytes,
                                  reinterpret_cast<const unsigned char*>(text.data()), text.size()) == 1 &&
                   bytes == kSignatureBytes;
  EVP_MD_CTX_free(context);
  if (!is_signed) return fail(Code::io, "libcrypto refused to sign; check its setup");
  return signature;
}

Result<std::string> SigningKey::sign(const Checkpoint& checkpoint) const {
  if (!is_signer_name(checkpoint.origin))
    return fail(Code::invalid, "signing a checkpoint: origin `" + checkpoint.origin +
                                   "` has a blank, a plus or a control character; rename the node or the log");
  std::string note = checkpoint.body();
  auto signature = sign_text(note);
  if (!signature)
    return fail(Code::io, "signing the checkpoint of " + checkpoint.origin + ": " + signature.error().message);
  std::string blob = key_hash(checkpoint.origin, public_bytes());
  blob += *signature;
  note += '\n';
  note += kDash;
  note += checkpoint.origin;
  note += ' ';
  note += to_base64(blob);
  note += '\n';
  return note;
}

Result<Checkpoint> open_note(std::string_view note, std::string_view verifier_line) {
  auto verifier = YUSHI_TRY(parse_verifier_line(verifier_line));
  size_t cut = note.rfind("\n\n");
  if (cut == note.npos) return malformed("it has no empty line before its signature");
  std::string_view text = note.substr(0, cut + 1), rest = note.substr(cut + 2);
  if (rest.empty()) return malformed("it has no signature");
  auto checkpoint = Checkpoint::parse_body(text);
  if (!checkpoint) return checkpoint;

  const std::string hash = key_hash(verifier.name, verifier.public_bytes);
  bool is_ours = false;
  while (!rest.empty()) {
    std::string_view line;
    if (!take_line(rest, &line) || !line.starts_with(kDash)) return malformed("a signature line is broken");
    line.remove_prefix(kDash.size());
    size_t blank = line.find(' ');
    if (blank == line.npos || !is_signer_name(line.substr(0, blank))) return malformed("a signature line has no name");
    auto blob = from_base64(line.substr(blank + 1));
    if (!blob || blob->size() <= kKeyHashBytes) return malformed("a signature is no base64");
    if (line.substr(0, blank) != verifier.name || blob->compare(0, kKeyHashBytes, hash) != 0) continue;
    if (blob->size() != kKeyHashBytes + kSignatureBytes ||
        !verify_text(verifier.public_bytes, text, std::string_view(*blob).substr(kKeyHashBytes)))
      return fail(Code::corrupt, "opening the checkpoint of " + checkpoint->origin +
                                     ": the signature does not hold; the note was changed after signing");
    is_ours = true;
  }
  if (!is_ours)
    return fail(Code::corrupt, "opening the checkpoint of " + checkpoint->origin + ": no signature is by the key of " +
                                   verifier.name + "; it was signed by someone else");
  if (checkpoint->origin != verifier.name)
    return fail(Code::corrupt, "opening a checkpoint: it speaks of " + checkpoint->origin +
                                   ", but the key is that of " + verifier.name + "; compare it with its own log's key");
  return checkpoint;
}

}  // namespace yushi
