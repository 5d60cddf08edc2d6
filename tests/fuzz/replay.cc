// Where there is no libFuzzer: runs a target on its seeds, on small changes of them that are the
// same in every run, and on the files and directories that are named: those that once broke it.
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>

#include "dagsync/base/log.h"
#include "fuzz/fuzz.h"
#include "support/files.h"

namespace {

constexpr int kChangesOfEachSeed = 100;

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void run_file(const std::filesystem::path& path) {
  std::printf("%s\n", path.c_str());
  std::fflush(stdout);  // so that the last line names what broke it
  run(dagsync::read_file(path));
}

std::string changed(std::string bytes, std::mt19937& random) {
  for (unsigned i = 0, count = 1 + random() % 4; i < count && !bytes.empty(); ++i) {
    const std::size_t at = random() % bytes.size();
    switch (random() % 4) {
      case 0:
        bytes[at] = static_cast<char>(random());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
        break;
      case 2:
        bytes.erase(at, 1 + random() % 8);
        break;
      default:
        bytes.insert(at, bytes.substr(random() % bytes.size(), 1 + random() % 32));
    }
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  dagsync::log::set_level(dagsync::log::Level::kOff);
  std::mt19937 random(1);
  run("");
  for (const std::string& seed : dagsync::fuzz_seeds()) {
    run(seed);
    for (int i = 0; i < kChangesOfEachSeed; ++i)
      run(changed(seed, random));
  }
  for (int i = 1; i < argc; ++i) {
    if (!std::filesystem::is_directory(argv[i])) {
      run_file(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
      run_file(entry.path());
  }
}
