// The cluster's own CA as a directory: ca.crt, ca.key, and NAME.crt, NAME.key of each node. Keys
// have mode 0600 from their first byte on. Calls block.
#pragma once

#include <string>
#include <vector>

#include "daemon/x509.h"

namespace dagsync {

// A new CA and a certificate for each node; the files made. kExists, naming them, where one of the
// files is there already: nothing is ever overwritten, and then nothing was made.
[[nodiscard]] Result<std::vector<std::string>> init_authority(const std::string& directory,
                                                              const std::vector<NodeName>& nodes,
                                                              int days, UnixNanos now);

// A certificate for one more node, by the CA in the directory. The first name is that of the files.
[[nodiscard]] Result<std::vector<std::string>> issue_certificate(const std::string& directory,
                                                                 const std::vector<NodeName>& names,
                                                                 int days, UnixNanos now);

// A new key and certificate, with the names of the old one, in the place of NAME.crt and NAME.key;
// the old ones stay beside them with the time of `now` at their end.
[[nodiscard]] Result<std::vector<std::string>> renew_certificate(const std::string& directory,
                                                                 const NodeName& node, int days,
                                                                 UnixNanos now);

struct CertificateFile {
  enum class Key { kMatches, kDiffers, kMissing };
  std::string path;
  CertificateInfo info;
  Key key = Key::kMissing;  // of the file of the same name that ends in .key
};

// What is in a file, or in all *.crt of a directory, by name: an entry for each certificate. Only
// the first one of a file can have a key; the others are between it and the CA, or further CAs.
[[nodiscard]] Result<std::vector<CertificateFile>> read_certificates(const std::string& path);

// kInvalid where the node's own name is none of those that its certificate, at `path`, bears.
[[nodiscard]] Status check_own_name(const std::vector<NodeName>& names, const NodeName& node,
                                    const std::string& path);

}  // namespace dagsync
