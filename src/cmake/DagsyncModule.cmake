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
