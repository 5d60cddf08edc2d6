// The steps of a disk: what it asks of its file system, one call after the other, so that a test
// can let something happen between any two. Of a real disk they are the calls that look at a name,
// move it or take it away (the linker puts ours before them: CMakeLists.txt); the simulated one has
// its own. One thread.
#pragma once

#include <cstddef>
#include <functional>

namespace dagsync {

// `meanwhile` happens just before the `step`-th step from now (from 0), once; its own steps do not
// count. It may ask for another one.
void interrupt(std::size_t step, std::function<void()> meanwhile);

// Forgets what has not happened yet. False: nothing was left.
bool forget_interruption();

// Told by the disk, before each.
void take_step();

}  // namespace dagsync
