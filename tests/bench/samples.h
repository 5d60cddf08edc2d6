// Rows and contents as a folder of DAGs has them; the same ones in every run.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "dagsync/core/record.h"

namespace dagsync::bench {

[[nodiscard]] inline AuthorId author(std::size_t number) {
  return {{"worker" + std::to_string(number) + ".example.org"}, {number + 1}};
}

[[nodiscard]] inline RelPath path(std::size_t number) {
  const std::string team = "teams/team" + std::to_string(number / 40);
  return RelPath::parse(team + "/dags/load_" + std::to_string(number) + ".py").value();
}

[[nodiscard]] inline std::vector<RelPath> paths(std::size_t count) {
  std::vector<RelPath> all;
  for (std::size_t i = 0; i < count; ++i)
    all.push_back(path(i));
  return all;
}

// Lines of Python, which compress as sources do.
[[nodiscard]] inline std::string text(std::size_t bytes, std::size_t seed = 1) {
  std::string text;
  for (std::size_t line = seed; text.size() < bytes; line = line * 6364136223846793005u + 1)
    text += "    load_" + std::to_string(line >> 40) + " = PythonOperator(task_id='step_" +
            std::to_string(line >> 50) + "')\n";
  text.resize(bytes);
  return text;
}

[[nodiscard]] inline IndexEntry entry(std::size_t number) {
  IndexEntry entry;
  Record& record = entry.record;
  record.content = {Kind::kFile,
                    0644,
                    4096,
                    digest_of("content " + std::to_string(number)),
                    {1'700'000'000'000'000'000},
                    {}};
  record.stamp = record.content.mtime;
  record.origin = {author(0), number + 1};
  record.seen.raise(record.origin.author, record.origin.sequence);
  record.version = record.seen;
  entry.id = record.origin;
  entry.disk = DiskState{};
  return entry;
}

}  // namespace dagsync::bench
