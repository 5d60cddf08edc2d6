// Beside libFuzzer's main(): TARGET --write-seeds DIRECTORY.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "dagsync/base/log.h"
#include "fuzz/fuzz.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  dagsync::log::set_level(dagsync::log::Level::kOff);
  if (*argc != 3 || std::string_view((*argv)[1]) != "--write-seeds") return 0;
  const std::filesystem::path directory((*argv)[2]);
  std::filesystem::create_directories(directory);
  int number = 0;
  for (const std::string& seed : dagsync::fuzz_seeds())
    std::ofstream(directory / ("seed-" + std::to_string(++number)), std::ios::binary) << seed;
  std::exit(0);
}
