// Lies about who has what.
#include <algorithm>

#include "dagsync/wire/codec.h"
#include "hostile/attack.h"

namespace dagsync::hostile {
namespace {

bool wait_for_tell(Session& session, const Plan& plan) {
  return session.listen_until([&] { return session.heard().tells.contains(plan.folder); });
}

// All that the daemon told of, and all that will ever follow.
Knowledge everything(Session& session, const Plan& plan) {
  const Tell& tell = session.heard().tells.at(plan.folder);
  Knowledge knowledge;
  knowledge.add(tell.author, {1, kMaxSequence});
  for (const auto& [author, sequences] : tell.received.authors())
    knowledge.add(author, {1, kMaxSequence});
  return knowledge;
}

Tell tell_of(const Plan& plan, const Knowledge& knowledge) {
  Tell tell;
  tell.folder = plan.folder;
  tell.author = {plan.name, {666}};
  tell.received = tell.durable = knowledge;
  return tell;
}

// Acknowledges what was never sent.
void acknowledge_everything(Session& session, const Plan& plan) {
  if (wait_for_tell(session, plan)) session.send(tell_of(plan, everything(session, plan)));
}

// Takes what comes, and never says so.
void never_acknowledge(Session& session, const Plan& plan) {
  if (wait_for_tell(session, plan)) session.send(tell_of(plan, {}));
}

// Says that a snapshot has brought everything, of everybody.
void poisoned_snapshot(Session& session, const Plan& plan) {
  if (wait_for_tell(session, plan)) {
    session.send(SnapshotEnd{plan.folder, everything(session, plan)});
  }
}

Knowledge absurd() {
  Knowledge knowledge;
  for (Sequence first = 2; first <= 2 * 30'000; first += 2)
    knowledge.add({{"made-up"}, {1}}, {first, first});
  return knowledge;
}

void absurd_tells(Session& session, const Plan& plan) {
  const std::string frame = frame_message(tell_of(plan, absurd()));
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i)
    session.send_raw(frame);
}

// Each with other holes, so that together they are more than one message could tell.
void absurd_snapshots(Session& session, const Plan& plan) {
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i) {
    Knowledge knowledge;
    for (Sequence first = 2; first <= 2 * 60'000; first += 2)
      knowledge.add({{"made-up"}, {i + 1}}, {first, first});
    session.send(SnapshotEnd{plan.folder, knowledge});
  }
}

void too_many_intervals(Session& session, const Plan& plan) {
  Knowledge knowledge;
  for (Sequence first = 2; first <= 2 * 70'000; first += 2)
    knowledge.add({{"made-up"}, {1}}, {first, first});
  session.send(SnapshotEnd{plan.folder, knowledge});
}

// Pretends to know more of the daemon than it issued, under each new epoch.
void churn(Session& session, const Plan& plan) {
  if (!wait_for_tell(session, plan)) return;
  for (std::uint64_t i = 0; i < plan.count && session.open(); ++i) {
    session.send(tell_of(plan, everything(session, plan)));
    const AuthorId before = session.heard().tells.at(plan.folder).author;
    const auto has_changed = [&] { return session.heard().tells.at(plan.folder).author != before; };
    if (!session.listen_until(has_changed, std::chrono::milliseconds(50))) continue;
  }
}

void other_folder(Session& session, const Plan& plan) {
  Plan other = plan;
  other.folder = plan.text;
  session.send(
      announce_of(other, {with_content(file_change(other, plan.path, "evil", 1), "evil")}));
  session.send(tell_of(other, {}));
  session.send(List{other.folder});
  session.send(SnapshotEnd{other.folder, {}});
  session.send(PageDone{other.folder, 1});
}

}  // namespace

const Attacks& knowledge_attacks() {
  static const Attacks attacks = {
      {"acknowledge-everything", acknowledge_everything},
      {"never-acknowledge", never_acknowledge},
      {"poisoned-snapshot", poisoned_snapshot},
      {"absurd-tells", absurd_tells},
      {"absurd-snapshots", absurd_snapshots},
      {"too-many-intervals", too_many_intervals},
      {"churn", churn},
      {"other-folder", other_folder},
  };
  return attacks;
}

}  // namespace dagsync::hostile
