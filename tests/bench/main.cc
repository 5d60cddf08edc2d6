// Runs the micro-benchmarks. They share fixtures with the unit tests, whose checks then end the
// run.
#define DOCTEST_CONFIG_IMPLEMENT
#include <benchmark/benchmark.h>
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  doctest::Context checks;
  checks.setAsDefaultForAssertsOutOfTestCases();
  checks.setAssertHandler([](const doctest::AssertData& check) {
    if (!check.m_failed) return;
    std::fprintf(stderr, "dagsync-bench: %s:%d: not so: %s\n", check.m_file, check.m_line,
                 check.m_expr);
    std::exit(1);
  });
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
