# Writes dagsync.service and, for further meshes on the same node, dagsync@.service. The units name the
# binary by its path, which is known only when it is installed.
#   dagsync_write_units(SOURCE BINARY DIRECTORY), DIRECTORY without the DESTDIR
function(dagsync_write_units source binary directory)
  file(READ ${source} unit)
  string(REPLACE /usr/bin/dagsync ${binary} unit "${unit}")
  string(REGEX REPLACE "^[^\n]*\n[^\n]*\n#\n" "" unit "${unit}")  # how the other one is made
  set(template "${unit}")
  string(REPLACE /etc/dagsync/dagsync.toml /etc/dagsync/%i.toml template "${template}")
  string(REPLACE "dagsync daemon\n" "dagsync daemon --config /etc/dagsync/%i.toml\n"
         template "${template}")
  string(REGEX REPLACE "(Runtime|State|Logs)Directory=dagsync\n" "\\1Directory=dagsync-%i\n"
         template "${template}")
  string(REPLACE "Description=dagsync, keeps a folder" "Description=dagsync %i, keeps a folder"
         template "${template}")
  foreach(name dagsync.service dagsync@.service)
    message(STATUS "Installing: $ENV{DESTDIR}${directory}/${name}")
    if(name STREQUAL dagsync.service)
      file(WRITE "$ENV{DESTDIR}${directory}/${name}" "${unit}")
    else()
      file(WRITE "$ENV{DESTDIR}${directory}/${name}" "${template}")
    endif()
    list(APPEND CMAKE_INSTALL_MANIFEST_FILES "${directory}/${name}")
  endforeach()
  set(CMAKE_INSTALL_MANIFEST_FILES ${CMAKE_INSTALL_MANIFEST_FILES} PARENT_SCOPE)
endfunction()
