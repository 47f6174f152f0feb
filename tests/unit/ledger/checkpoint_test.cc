#include "core/ledger/checkpoint.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/base/bytes.h"
#include "core/ledger/entry.h"
#include "core/ledger/log_roots.h"
#include "core/ledger/merkle.h"

namespace yushi {
namespace {

const char* const kOrigin = "log-01.gov.example/finance";

Checkpoint some_checkpoint() { return {kOrigin, 1048577, sha256("root")}; }

std::string fresh_directory() {
  std::string path = (std::filesystem::temp_directory_path() / "yushi-ledger-XXXXXX").string();
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  return path;
}

TEST(Checkpoint, ASignedOneOpensWithItsKeyAndSaysTheSame) {
  auto key = *SigningKey::generate();
  auto note = *key.sign(some_checkpoint());
  auto opened = open_note(note, key.verifier_line(kOrigin));
  ASSERT_TRUE(opened.has_value()) << opened.error().message;
  EXPECT_EQ(opened->origin, kOrigin);
  EXPECT_EQ(opened->size, 1048577u);
  EXPECT_EQ(opened->root, sha256("root"));
  EXPECT_EQ(Checkpoint::parse_body(note)->root, sha256("root"));
  EXPECT_EQ(Checkpoint::parse_body(some_checkpoint().body())->size, 1048577u);
}

TEST(Checkpoint, AnotherKeyOrAnotherLogsKeyDoesNotOpenIt) {
  auto key = *SigningKey::generate();
  auto note = *key.sign(some_checkpoint());
  EXPECT_EQ(open_note(note, SigningKey::generate()->verifier_line(kOrigin)).error().code, Code::corrupt);
  EXPECT_EQ(open_note(note, key.verifier_line("log-01.gov.example/health")).error().code, Code::corrupt);
}

TEST(Checkpoint, NoFlippedBitOpens) {
  auto key = *SigningKey::generate();
  auto note = *key.sign(some_checkpoint());
  auto line = key.verifier_line(kOrigin);
  for (size_t i = 0; i < note.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      auto changed = note;
      changed[i] = static_cast<char>(changed[i] ^ 1 << bit);
      EXPECT_FALSE(open_note(changed, line).has_value()) << "byte " << i << " bit " << bit;
    }
  for (size_t cut = 0; cut < note.size(); ++cut) EXPECT_FALSE(open_note(note.substr(0, cut), line).has_value());
}

TEST(Checkpoint, AWitnesssSignatureBesideOursIsPassedOver) {
  auto key = *SigningKey::generate();
  auto witness = *SigningKey::generate();
  auto note = *key.sign(some_checkpoint());
  auto other = *witness.sign({"witness.example/w", 1, {}});
  note += other.substr(other.rfind("\n\n") + 2);
  EXPECT_TRUE(open_note(note, key.verifier_line(kOrigin)).has_value());
}

TEST(Checkpoint, AVerifierLineIsThatOfGosNotePackage) {
  // From the documentation of golang.org/x/mod/sumdb/note.
  const std::string line = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  auto key = *from_base64("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  EXPECT_EQ(make_verifier_line("PeterNeumann", key.substr(1)), line);
}

TEST(Checkpoint, OddBodiesAreRefused) {
  const std::string root = to_base64(as_bytes(sha256("root")));
  for (const std::string& body :
       {std::string(), std::string("a/b\n1\n"), "a/b\n01\n" + root + "\n", "a/b\n+1\n" + root + "\n",
        "a/b\n-1\n" + root + "\n", "a/b\n18446744073709551616\n" + root + "\n", "a/b\n\n" + root + "\n",
        "a b\n1\n" + root + "\n", "\n1\n" + root + "\n", "a/b\n1\n" + root.substr(4) + "\n", "a/b\n1\n" + root,
        "a/b\n1\n" + root + "\nmore\n"})
    EXPECT_EQ(Checkpoint::parse_body(body).error().code, Code::invalid) << body;
  EXPECT_EQ(Checkpoint::parse_body("a/b\n18446744073709551615\n" + root + "\n")->size, ~uint64_t{0});
}

TEST(Checkpoint, OriginsThatWouldBreakTheNoteAreNotSigned) {
  auto key = *SigningKey::generate();
  for (const char* origin : {"", "a b", "a\nb", "a+b"}) EXPECT_FALSE(key.sign({origin, 1, {}}).has_value()) << origin;
}

TEST(SigningKey, IsKeptInAFileForItsOwnerAloneAndNeverOverwritten) {
  auto directory = fresh_directory();
  std::string path = directory + "/node.key";
  EXPECT_EQ(SigningKey::load(path).error().code, Code::not_found);
  auto key = *SigningKey::generate();
  Disk disk;
  ASSERT_TRUE(key.save(path, disk).has_value());
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(SigningKey::load(path)->public_bytes(), key.public_bytes());
  EXPECT_EQ(SigningKey::generate()->save(path, disk).error().code, Code::refused);
  EXPECT_EQ(SigningKey::load(path)->public_bytes(), key.public_bytes());
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 1);  // nothing left beside it
  std::ofstream(path, std::ios::trunc) << "-----BEGIN PRIVATE KEY-----\nMC4C\n";
  EXPECT_EQ(SigningKey::load(path).error().code, Code::corrupt);
  std::filesystem::remove_all(directory);
}

TEST(Entry, IsTheLineOfTheDesign) {
  std::string entry = "what stood here before";
  make_entry_head({1793491200123456789, "10.0.0.1", 42, "udp", 0, 0, 0, false, false, false, "10.0.0.1"}, entry);
  append_digest(sha256("abc"), entry);
  EXPECT_EQ(entry,
            "1793491200123456789 10.0.0.1 42 udp ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Entry, SaysWhatDecidesTheAnswerAndStandsNowhereElse) {
  auto marks = [](auto&& set) {
    EntryHead head{7, "10.0.0.1", 419, "tcp", 0, 0, 0, false, false, false, "10.0.0.1"};
    set(head);
    std::string entry;
    make_entry_head(head, entry);
    return entry.substr(entry.rfind(' ') + 1);
  };
  EXPECT_EQ(marks([](auto&) {}), "tcp");
  EXPECT_EQ(marks([](auto& h) { h.part = 2, h.first_seq = 417; }), "tcp+part=2@417");
  EXPECT_EQ(marks([](auto& h) { h.part = h.part_of = 3, h.first_seq = 417; }), "tcp+part=3/3@417");
  EXPECT_EQ(marks([](auto& h) { h.truncated = true; }), "tcp+truncated");
  EXPECT_EQ(marks([](auto& h) { h.by_relay = h.host_unconfirmed = true; }), "tcp+relay+host-unconfirmed");
  EXPECT_EQ(marks([](auto& h) { h.source = "overflow", h.address = "203.0.113.5"; }), "tcp+from=203.0.113.5");
  EXPECT_EQ(marks([](auto& h) { h.source = "unix:/a%20b", h.address = "unix:/a b"; }), "tcp");
  EXPECT_EQ(marks([](auto& h) { h.address = "::ffff:10.0.0.1"; }), "tcp");
}

TEST(LogRoots, OneRootStandsForTheNamesSizesAndRootsOfAllLogs) {
  EXPECT_EQ(root_over({}), empty_root());
  LogRootMap one{{"default", {3, sha256("r")}}};
  EXPECT_EQ(root_over(one), leaf_hash("default 3 " + to_base64(as_bytes(sha256("r")))));
  LogRootMap two = one;
  two["finance"] = {1, sha256("s")};
  EXPECT_EQ(root_over(two), node_hash(root_over(one), leaf_hash("finance 1 " + to_base64(as_bytes(sha256("s"))))));
}

TEST(LogRoots, EachLogIsProvedByAPathThatNamesNoOther) {
  LogRootMap logs;
  for (int count = 1; count <= 9; ++count) {
    logs["unit" + std::to_string(count)] = {static_cast<uint64_t>(count), sha256(std::to_string(count))};
    for (auto& [name, log] : logs) {
      auto [place, path] = prove_log(logs, name);
      EXPECT_TRUE(verify_inclusion(place, logs.size(), leaf_hash(log_leaf(name, log)), path, root_over(logs)));
      EXPECT_FALSE(
          verify_inclusion(place, logs.size(), leaf_hash(log_leaf(name, {99, log.root})), path, root_over(logs)));
    }
  }
}

TEST(CommitChain, EveryCommitAndTheKeyCount) {
  const auto ours = *SigningKey::generate(), other = *SigningKey::generate();
  auto code = [](const SigningKey& key, std::vector<std::pair<uint64_t, std::string>> commits) {
    CommitChain chain(key);
    chain.begin("node log-01");
    for (auto& [number, edge] : commits) chain.add(number, {{"default", edge}});
    return chain.code();
  };
  auto all = code(ours, {{1, "a"}, {2, "b"}});
  EXPECT_EQ(all, code(ours, {{1, "a"}, {2, "b"}}));
  EXPECT_NE(all, code(other, {{1, "a"}, {2, "b"}}));
  EXPECT_NE(all, code(ours, {{1, "a"}}));
  EXPECT_NE(all, code(ours, {{1, "a"}, {2, "c"}}));
  EXPECT_NE(all, code(ours, {{1, "a"}, {3, "b"}}));
}

TEST(Entry, ASourceIsOneWordOfPrintableCharacters) {
  EXPECT_EQ(encode_source("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(encode_source("::ffff:10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(encode_source("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(encode_source("unix:/run/a b%c"), "unix:/run/a%20b%25c");
  EXPECT_EQ(encode_source(std::string_view("\0\x7f\xe5", 3)), "%00%7F%E5");
}

// For tests/e2e/go_note: Go's libraries judge the same note and proofs.
TEST(Checkpoint, VectorsForGoAreWrittenWhenAskedFor) {
  const char* path = std::getenv("YUSHI_LEDGER_VECTORS");
  if (!path) GTEST_SKIP() << "YUSHI_LEDGER_VECTORS names no file";
  constexpr uint64_t kSize = 40;
  std::vector<std::string> entries;
  std::vector<std::vector<Hash>> levels(8);
  std::vector<Hash> roots;
  CompactRange range;
  for (uint64_t i = 0; i < kSize; ++i) {
    std::string entry;
    make_entry_head({static_cast<int64_t>(i), "10.0.0.1", i, "tcp", 0, 0, 0, false, false, false, "10.0.0.1"}, entry);
    append_digest(sha256(std::to_string(i)), entry);
    range.append(leaf_hash(entry),
                 [&](int level, uint64_t, const Hash& hash) { levels[static_cast<size_t>(level)].push_back(hash); });
    entries.push_back(entry);
    roots.push_back(range.root());
  }
  Subtree subtree = [&](int level, uint64_t index) -> Result<Hash> {
    return levels[static_cast<size_t>(level)].at(index);
  };
  auto list = [](const std::vector<Hash>& hashes) {
    std::string out;
    for (const Hash& hash : hashes) out += (out.empty() ? "\"" : ",\"") + to_base64(as_bytes(hash)) + '"';
    return '[' + out + ']';
  };
  auto key = *SigningKey::generate();
  auto note = *key.sign({kOrigin, kSize, roots.back()});
  std::string escaped;
  for (char c : note) escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
  std::ofstream out(path);
  out << "{\"verifier\":\"" << key.verifier_line(kOrigin) << "\",\"note\":\"" << escaped << "\",\"trees\":[";
  for (uint64_t size = 1; size <= kSize; ++size) {
    std::string texts, proofs, from;
    for (uint64_t i = 0; i < size; ++i) {
      texts += (i ? ",\"" : "\"") + entries[i] + '"';
      proofs += (i ? "," : "") + list(*prove_inclusion(i, size, subtree));
      if (i) from += (i > 1 ? "," : "") + list(*prove_consistency(i, size, subtree));
    }
    out << (size > 1 ? ",\n" : "\n") << "{\"size\":" << size << ",\"root\":\"" << to_base64(as_bytes(roots[size - 1]))
        << "\",\"entries\":[" << texts << "],\"proofs\":[" << proofs << "],\"from\":[" << from << "]}";
  }
  out << "]}\n";
  ASSERT_TRUE(out.flush().good());
}

}  // namespace
}  // namespace yushi
