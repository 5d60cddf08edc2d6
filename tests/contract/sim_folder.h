// A folder on a simulated disk, outside any mesh.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/test_folder.h"

namespace dagsync {

class SimFolder final : public TestFolder {
 public:
  explicit SimFolder(bool keeps_owners = false, bool is_full = false);
  ~SimFolder() override;

  [[nodiscard]] Disk& disk() override;
  void restart() override;

  void write(const std::string& name, const std::string& bytes) const override;
  void mkdir(const std::string& name) const override;
  void symlink(const std::string& target, const std::string& name) const override;
  void link(const std::string& from, const std::string& to) const override;
  void mkfifo(const std::string& name) const override;
  void rename(const std::string& from, const std::string& to) const override;
  void remove(const std::string& name) const override;
  void chmod(const std::string& name, std::uint32_t mode) const override;
  void set_mtime(const std::string& name, UnixNanos mtime) const override;
  void chown(const std::string& name, const std::string& owner) const override;
  [[nodiscard]] std::unique_ptr<Writer> open_writer(const std::string& name) const override;
  [[nodiscard]] std::shared_ptr<void> forbid(const std::string& name) override;
  void move_folder_away() const override;
  void make_folder() const override;
  void move_folder_back() const override;
  void link_folder() const override;

  [[nodiscard]] std::string read(const std::string& name) const override;
  [[nodiscard]] bool exists(const std::string& name) const override;
  [[nodiscard]] std::string owner(const std::string& name) const override;
  [[nodiscard]] std::vector<std::string> names() const override;
  [[nodiscard]] std::vector<std::string> leftovers() const override;
  [[nodiscard]] UnixNanos now() const override;
  void wait_a_tick() const override;

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace dagsync
