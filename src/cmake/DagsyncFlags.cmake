# Compiler and linker flags of every target, on one interface library.
add_library(dagsync_flags INTERFACE)
target_compile_features(dagsync_flags INTERFACE cxx_std_20)
target_compile_options(dagsync_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fstack-protector-strong)
target_compile_definitions(dagsync_flags INTERFACE _FILE_OFFSET_BITS=64)

if(DAGSYNC_WERROR)
  target_compile_options(dagsync_flags INTERFACE -Werror)
endif()

# With several files in one, the files' own types are no longer those of a main file, for gcc.
if(CMAKE_UNITY_BUILD)
  target_compile_options(dagsync_flags INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

if(DAGSYNC_SANITIZE)
  target_compile_options(dagsync_flags INTERFACE
    -fsanitize=${DAGSYNC_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1)
  target_link_options(dagsync_flags INTERFACE -fsanitize=${DAGSYNC_SANITIZE})
endif()

# Everything tells the fuzzer where it has been; only the fuzzers have libFuzzer's main().
if(DAGSYNC_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "DAGSYNC_FUZZ needs clang: tests/fuzz/run makes such a build")
  endif()
  # The engine stands behind two targets that are no faster for its optimisation, which takes as long
  # as the compiling of all other modules.
  target_compile_options(dagsync_flags INTERFACE -fsanitize=fuzzer-no-link
    $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:NAME>,dagsync_engine>>:-O1>)
endif()

# Hardening: position independent, read-only relocations, checked string functions.
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
target_link_options(dagsync_flags INTERFACE LINKER:-z,relro LINKER:-z,now)
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(NOT DAGSYNC_SANITIZE AND CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(dagsync_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
