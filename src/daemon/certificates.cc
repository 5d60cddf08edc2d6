#include "daemon/certificates.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iterator>
#include <set>

#include "daemon/files.h"
#include "dagsync/base/rel_path.h"

namespace dagsync {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxPemBytes = 256 * 1024;
constexpr int kMostASecond = 100;              // renewals of one certificate
constexpr std::string_view kAuthority = "ca";  // the name of its files

std::string file_of(const std::string& directory, std::string_view name, std::string_view ending) {
  return (fs::path(directory) / (std::string(name) + std::string(ending))).string();
}

struct NewFile {
  std::string path;
  std::string content;
  mode_t mode;
};

void add_pair(std::vector<NewFile>& files, const std::string& directory, std::string_view name,
              KeyPair pair) {
  files.push_back({file_of(directory, name, ".key"), std::move(pair.key), 0600});
  files.push_back({file_of(directory, name, ".crt"), std::move(pair.certificate), 0644});
}

Status refuse_existing(const std::vector<std::string>& paths, std::string_view mend) {
  std::string there;
  for (const std::string& path : paths) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(path, ignored))) continue;
    there += (there.empty() ? "" : ", ") + escape_bytes(path);
  }
  if (there.empty()) return {};
  return fail(ErrorCode::kExists,
              "exists already and is never overwritten: " + there + ": " + std::string(mend));
}

// All of them or none.
Result<std::vector<std::string>> create_all(const std::vector<NewFile>& files) {
  std::vector<std::string> made;
  for (const NewFile& file : files) {
    if (Status created = create_file(file.path, file.content, file.mode); !created) {
      for (const std::string& path : made)
        unlink(path.c_str());
      return Unexpected(created.error());
    }
    made.push_back(file.path);
  }
  return made;
}

Status check_names(const std::vector<NodeName>& names) {
  std::set<NodeName> seen;
  if (names.empty()) return fail(ErrorCode::kInvalid, "no node: give at least one name");
  for (const NodeName& name : names) {
    if (name.value == kAuthority) {
      return fail(ErrorCode::kInvalid, "no node can be called \"ca\": ca.crt is the CA's own file");
    }
    if (!seen.insert(name).second) {
      return fail(ErrorCode::kInvalid, "\"" + name.value + "\" is named twice: name each once");
    }
  }
  return {};
}

Result<KeyPair> read_pair(const std::string& directory, std::string_view name) {
  auto certificate = read_small_file(file_of(directory, name, ".crt"), kMaxPemBytes);
  if (!certificate) return Unexpected(certificate.error());
  auto key = read_small_file(file_of(directory, name, ".key"), kMaxPemBytes);
  if (!key) return Unexpected(key.error());
  return KeyPair{std::move(*certificate), std::move(*key)};
}

Result<KeyPair> make_for(const std::string& directory, const std::vector<NodeName>& names, int days,
                         UnixNanos now) {
  const auto authority = read_pair(directory, kAuthority);
  if (!authority) {
    return Unexpected(authority.error().with_context(
        "the CA made by `dagsync certs init` is not in " + escape_bytes(directory)));
  }
  return make_certificate(*authority, names, days, now);
}

std::string common_name_for(const std::vector<NodeName>& nodes) {
  std::string name = "dagsync CA of";
  for (const NodeName& node : nodes)
    name += " " + node.value;
  return name;
}

std::string compact_time(UnixNanos moment) {
  const std::time_t seconds = moment.value / 1'000'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts)};
}

Status keep_old(const std::string& path, const std::string& ending) {
  std::string kept = path + "." + ending;
  for (int again = 2; link(path.c_str(), kept.c_str()) != 0; ++again) {  // renewed twice a second
    if (errno != EEXIST || again > kMostASecond) {
      return fail_errno(errno, "keep the old file as " + escape_bytes(kept));
    }
    kept = path + "." + ending + "-" + std::to_string(again);
  }
  return {};
}

Result<std::vector<CertificateFile>> read_one(const std::string& path) {
  const auto pem = read_small_file(path, kMaxPemBytes);
  if (!pem) return Unexpected(pem.error());
  auto infos = inspect_certificates(*pem);
  if (!infos) return Unexpected(infos.error().with_context(escape_bytes(path)));
  std::vector<CertificateFile> files;
  for (CertificateInfo& info : *infos)
    files.push_back({path, std::move(info), CertificateFile::Key::kMissing});
  const auto key = read_small_file(fs::path(path).replace_extension(".key").string(), kMaxPemBytes);
  if (!key) {
    if (key.error().code == ErrorCode::kNotFound) return files;
    return Unexpected(key.error());
  }
  const auto matches = key_matches({*pem, *key});
  files.front().key =
      matches && *matches ? CertificateFile::Key::kMatches : CertificateFile::Key::kDiffers;
  return files;
}

}  // namespace

Result<std::vector<std::string>> init_authority(const std::string& directory,
                                                const std::vector<NodeName>& nodes, int days,
                                                UnixNanos now) {
  if (Status names = check_names(nodes); !names) return Unexpected(names.error());
  std::vector<std::string> paths;
  for (const std::string_view ending : {".crt", ".key"}) {
    paths.push_back(file_of(directory, kAuthority, ending));
    for (const NodeName& node : nodes)
      paths.push_back(file_of(directory, node.value, ending));
  }
  const Status fresh = refuse_existing(paths, "choose another directory, or move it away");
  if (!fresh) return Unexpected(fresh.error());

  const auto authority = make_authority(common_name_for(nodes), now);
  if (!authority) return Unexpected(authority.error());
  std::vector<NewFile> files;
  add_pair(files, directory, kAuthority, *authority);
  for (const NodeName& node : nodes) {
    auto pair = make_certificate(*authority, {node}, days, now);
    if (!pair) return Unexpected(pair.error());
    add_pair(files, directory, node.value, std::move(*pair));
  }
  if (Status made = make_directories(directory, 0755); !made) return Unexpected(made.error());
  return create_all(files);
}

Result<std::vector<std::string>> issue_certificate(const std::string& directory,
                                                   const std::vector<NodeName>& names, int days,
                                                   UnixNanos now) {
  if (Status good = check_names(names); !good) return Unexpected(good.error());
  const std::string& node = names.front().value;
  const Status fresh =
      refuse_existing({file_of(directory, node, ".crt"), file_of(directory, node, ".key")},
                      "replace it with `dagsync certs renew`, or move it away");
  if (!fresh) return Unexpected(fresh.error());
  auto pair = make_for(directory, names, days, now);
  if (!pair) return Unexpected(pair.error());
  std::vector<NewFile> files;
  add_pair(files, directory, node, std::move(*pair));
  return create_all(files);
}

Result<std::vector<std::string>> renew_certificate(const std::string& directory,
                                                   const NodeName& node, int days, UnixNanos now) {
  const std::string certificate = file_of(directory, node.value, ".crt");
  const std::string key = file_of(directory, node.value, ".key");
  const auto old = read_one(certificate);
  if (!old) return Unexpected(old.error());
  std::vector<NodeName> names;
  for (const std::string& name : old->front().info.names)
    names.push_back({name});
  if (Status good = check_names(names); !good) return Unexpected(good.error());
  const auto pair = make_for(directory, names, days, now);
  if (!pair) return Unexpected(pair.error());

  const std::string ending = compact_time(now);
  for (const std::string& path : {certificate, key}) {
    if (old->front().key == CertificateFile::Key::kMissing && path == key) continue;
    if (Status kept = keep_old(path, ending); !kept) return Unexpected(kept.error());
  }
  if (Status done = replace_file(key, pair->key, 0600); !done) return Unexpected(done.error());
  if (Status done = replace_file(certificate, pair->certificate, 0644); !done) {
    return Unexpected(done.error());
  }
  return std::vector<std::string>{key, certificate};
}

Result<std::vector<CertificateFile>> read_certificates(const std::string& path) {
  std::vector<std::string> paths;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    paths.push_back(path);
  } else {
    for (fs::directory_iterator entry(path, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->path().extension() == ".crt") paths.push_back(entry->path().string());
    }
    if (error) return fail_errno(error.value(), "list " + escape_bytes(path));
    if (paths.empty()) {
      return fail(ErrorCode::kNotFound, "no *.crt in " + escape_bytes(path) +
                                            ": name a certificate, or the directory of one");
    }
  }
  std::ranges::sort(paths);
  std::vector<CertificateFile> files;
  for (const std::string& file : paths) {
    auto read = read_one(file);
    if (!read) return Unexpected(read.error());
    std::ranges::move(*read, std::back_inserter(files));
  }
  return files;
}

Status check_own_name(const std::vector<NodeName>& names, const NodeName& node,
                      const std::string& path) {
  if (std::find(names.begin(), names.end(), node) != names.end()) return {};
  std::string borne;
  for (const NodeName& name : names)
    borne += (borne.empty() ? "" : ", ") + name.value;
  return fail(ErrorCode::kInvalid,
              path + " does not bear this node's name " + node.value + ", but " +
                  (borne.empty() ? "no DNS name" : borne) +
                  ": set [node] name to one of these, or issue a certificate with `dagsync certs`");
}

}  // namespace dagsync
