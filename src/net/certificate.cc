#include "net/certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>

namespace dagsync {
namespace {

constexpr std::size_t kMaxNamesListed = 8;

UnixNanos to_unix(const ASN1_TIME* time) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(time, &utc) != 1) return {};
  return {std::int64_t{timegm(&utc)} * 1'000'000'000};
}

}  // namespace

std::vector<NodeName> dns_names_of(const X509* certificate) {
  std::vector<NodeName> names;
  const std::unique_ptr<GENERAL_NAMES, OpensslFree<GENERAL_NAMES_free>> list(
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (list == nullptr) return names;
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    if (names.size() == kMaxCertificateNames) break;
    const GENERAL_NAME* entry = sk_GENERAL_NAME_value(list.get(), i);
    if (entry->type != GEN_DNS) continue;
    const auto* bytes = reinterpret_cast<const char*>(ASN1_STRING_get0_data(entry->d.dNSName));
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(entry->d.dNSName));
    std::string name = lower_case({bytes, size});
    if (is_dns_name(name)) names.push_back(NodeName{std::move(name)});
  }
  return names;
}

UnixNanos valid_from(const X509* certificate) {
  return to_unix(X509_get0_notBefore(certificate));
}

UnixNanos valid_until(const X509* certificate) {
  return to_unix(X509_get0_notAfter(certificate));
}

std::string lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string list_names(const std::vector<NodeName>& names) {
  if (names.empty()) return "no DNS name";
  std::string list;
  const std::size_t listed = std::min(names.size(), kMaxNamesListed);
  for (std::size_t i = 0; i < listed; ++i) {
    if (i > 0) list += ", ";
    list += names[i].value;
  }
  if (listed < names.size()) list += " and " + std::to_string(names.size() - listed) + " more";
  return list;
}

}  // namespace dagsync
