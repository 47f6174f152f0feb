// What the daemon's model of an account's commands (detect/behaviours/command_habit.h) says of published command
// streams, for bench/masquerade, which counts what that is worth.
//
//   command_habit_scores DIR THRESHOLD...
//
// DIR has files User<N> with a command a line: the first 5,000 are the account's own and are learned, by the site too;
// the blocks of 100 after them are judged in order, and learned when they score below the threshold. Prints for each
// threshold and user a line `THRESHOLD N SCORE...` in 1/256 bit.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "detect/behaviours/command_habit.h"

namespace yushi::detect {
namespace {

constexpr size_t kTrainingBlocks = 50;

std::vector<CommandBlock> read_blocks(const std::filesystem::path& path) {
  std::vector<CommandBlock> out;
  std::ifstream in(path);
  CommandBlock block;
  for (std::string line; std::getline(in, line);) {
    block.add(line);
    if (!block.full()) continue;
    out.push_back(block);
    block.clear();
  }
  return out;
}

void print_scores(int user, const std::vector<CommandBlock>& blocks, const SiteCommands& site, int threshold) {
  CommandHabit habit;
  for (size_t i = 0; i < kTrainingBlocks; ++i) habit.learn(blocks[i]);
  std::printf("%d %d", threshold, user);
  for (size_t i = kTrainingBlocks; i < blocks.size(); ++i) {
    const int score = habit.judge(blocks[i], site).score;
    if (score < threshold) habit.learn(blocks[i]);
    std::printf(" %d", score);
  }
  std::printf("\n");
}

}  // namespace
}  // namespace yushi::detect

int main(int argc, char** argv) {
  using namespace yushi::detect;
  if (argc < 3) {
    std::fprintf(stderr, "usage: command_habit_scores DIR THRESHOLD...\n");
    return 2;
  }
  std::map<int, std::vector<CommandBlock>> users;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("User", 0) != 0) continue;
    auto blocks = read_blocks(entry.path());
    if (blocks.size() > kTrainingBlocks) users[std::atoi(name.c_str() + 4)] = std::move(blocks);
  }
  SiteCommands site;
  for (const auto& [user, blocks] : users)
    for (size_t i = 0; i < kTrainingBlocks; ++i) site.learn(blocks[i]);
  for (int i = 2; i < argc; ++i)
    for (const auto& [user, blocks] : users) print_scores(user, blocks, site, std::atoi(argv[i]));
  return 0;
}
