# One static library a module. The link lines are the layering: a module sees the public headers
# (include/dagsync/<module>) of everything, but links, and so can use, only what it names here.
#
#   dagsync_module(core SOURCES reconcile.cc ... LINK dagsync::base)
function(dagsync_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  list(FILTER arg_SOURCES EXCLUDE REGEX "^$")
  if(arg_SOURCES)
    add_library(dagsync_${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(dagsync_${name} PRIVATE ${arg_PRIVATE_LINK})
  else()
    add_library(dagsync_${name} INTERFACE)   # interfaces only, nothing to compile
    set(scope INTERFACE)
  endif()
  add_library(dagsync::${name} ALIAS dagsync_${name})
  target_include_directories(dagsync_${name} ${scope}
    ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(dagsync_${name} ${scope} dagsync_flags ${arg_LINK})
endfunction()

# A test program with doctest, run by CTest under its own name.
#
#   dagsync_test(core SOURCES reconcile_test.cc ... LINK dagsync::core)
function(dagsync_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(test_${name} ${arg_SOURCES})
  target_link_libraries(test_${name} PRIVATE ${arg_LINK} dagsync_test_main dagsync_flags)
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  add_test(NAME ${name} COMMAND test_${name})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${arg_TIMEOUT})
endfunction()
