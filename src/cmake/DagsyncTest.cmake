# Tests. Each is built and run in the build directory at hand, except where DAGSYNC_ASAN_DIR and
# DAGSYNC_TSAN_DIR name the directories of sanitizer builds: then the unit tests of those are run
# instead of being built here, under names like asan/core and tsan/net. So one run of CTest, that of
# the Release build, runs the tests of all builds (tests/run makes them).

set(DAGSYNC_ASAN_DIR "" CACHE PATH "Run the unit tests of this build, under address,undefined")
set(DAGSYNC_TSAN_DIR "" CACHE PATH "Run the tests with threads of this build, under thread")

# The modules whose tests have threads to race; the others would only wait under TSan. (The engine runs
# one job after the other there; with threads it runs in the daemon, and end to end.)
set(DAGSYNC_THREADED_MODULES net posix daemon)

# ThreadSanitizer of this compiler does not know the memory map of kernels that randomise more of it.
if(DAGSYNC_TSAN_DIR OR DAGSYNC_SANITIZE STREQUAL "thread")
  execute_process(COMMAND setarch -R true RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
  if(result EQUAL 0)
    set(DAGSYNC_TSAN_LAUNCHER setarch -R)
  endif()
endif()

# What an ASan build needs to build, and a TSan build, beside the binary.
add_custom_target(unit_tests)
add_custom_target(threaded_tests)

# A test program with doctest, run by CTest under its own name.
#
#   dagsync_test(core SOURCES reconcile_test.cc ... LINK dagsync::core [TIMEOUT 60] [WAITS])
function(dagsync_test name)
  cmake_parse_arguments(arg "WAITS" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  set(waits "")
  if(arg_WAITS)
    set(waits WAITS)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  cmake_path(GET CMAKE_CURRENT_SOURCE_DIR FILENAME module)
  if(module IN_LIST DAGSYNC_THREADED_MODULES)
    set(threaded TRUE)
  endif()

  if(DAGSYNC_ASAN_DIR)
    cmake_path(RELATIVE_PATH CMAKE_CURRENT_BINARY_DIR BASE_DIRECTORY ${CMAKE_BINARY_DIR}
               OUTPUT_VARIABLE below)
    dagsync_add_test(asan/${name} COMMAND ${DAGSYNC_ASAN_DIR}/${below}/test_${name}
                     LABELS unit asan TIMEOUT ${arg_TIMEOUT} ${waits})
    if(DAGSYNC_TSAN_DIR AND threaded)
      dagsync_add_test(tsan/${name}
                       COMMAND ${DAGSYNC_TSAN_LAUNCHER} ${DAGSYNC_TSAN_DIR}/${below}/test_${name}
                       LABELS unit tsan TIMEOUT ${arg_TIMEOUT} ${waits})
    endif()
    return()
  endif()

  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${arg_LINK} dagsync_test_main dagsync_flags)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  add_dependencies(unit_tests test_${name})
  if(threaded)
    add_dependencies(threaded_tests test_${name})
  endif()
  dagsync_add_test(${name} COMMAND ${DAGSYNC_TSAN_LAUNCHER} $<TARGET_FILE:test_${name}>
                   LABELS unit TIMEOUT ${arg_TIMEOUT} ${waits})
endfunction()

# A test with labels, and with the sanitizers told to show what they find. WAITS: mostly for time to
# pass or for a disk, and takes less than half a processor; ALONE: wants two for itself. CTest counts
# in whole ones, so that its -j is twice the number of processors, and half of one is 1.
#
#   dagsync_add_test(core COMMAND test_core LABELS unit TIMEOUT 60 [ENVIRONMENT NAME=VALUE ...]
#                    [WAITS | ALONE])
function(dagsync_add_test name)
  cmake_parse_arguments(arg "WAITS;ALONE" "TIMEOUT" "COMMAND;LABELS;ENVIRONMENT" ${ARGN})
  set(halves 2)
  set(cost ${arg_TIMEOUT})  # what may take longest starts first
  if(arg_WAITS)
    set(halves 1)
  elseif(arg_ALONE)
    set(halves 4)
    set(cost 5000)  # before all others, so that no processor waits for the other one
  endif()
  add_test(NAME ${name} COMMAND ${arg_COMMAND})
  set_tests_properties(${name} PROPERTIES
    TIMEOUT ${arg_TIMEOUT}
    COST ${cost}
    PROCESSORS ${halves}
    SKIP_RETURN_CODE 77  # of those that tell (tests/e2e/skips.py): CTest names them at the end
    LABELS "${arg_LABELS}"
    ENVIRONMENT "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1;\
UBSAN_OPTIONS=print_stacktrace=1;\
TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:\
suppressions=${CMAKE_SOURCE_DIR}/tests/support/tsan.supp;${arg_ENVIRONMENT}")
endfunction()
