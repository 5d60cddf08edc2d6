# Run by cpack between the install and the packing: what only a Debian package has.
set(root ${CPACK_TEMPORARY_DIRECTORY})
set(doc ${root}/usr/share/doc/dagsync)

set(readable OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
file(COPY ${CPACK_DAGSYNC_SOURCE_DIR}/copyright DESTINATION ${doc} FILE_PERMISSIONS ${readable})
# The copyright file says where Debian keeps the text of the licence.
file(REMOVE ${doc}/LICENSE)

file(COPY ${CPACK_DAGSYNC_SOURCE_DIR}/changelog DESTINATION ${doc} FILE_PERMISSIONS ${readable})
# The package has no Debian revision of its own, so that its log is called changelog.gz.
execute_process(COMMAND gzip -9nf ${doc}/changelog COMMAND_ERROR_IS_FATAL ANY)

file(GLOB pages ${root}/usr/share/man/man*/*[0-9])
execute_process(COMMAND gzip -9nf ${pages} COMMAND_ERROR_IS_FATAL ANY)

file(COPY ${CPACK_DAGSYNC_SOURCE_DIR}/ufw DESTINATION ${root}/etc/ufw/applications.d
     FILE_PERMISSIONS ${readable})
file(RENAME ${root}/etc/ufw/applications.d/ufw ${root}/etc/ufw/applications.d/dagsync)

# Whatever the umask was, and whatever the modes in the source tree.
execute_process(COMMAND chmod -R u=rwX,go=rX ${root} COMMAND_ERROR_IS_FATAL ANY)
