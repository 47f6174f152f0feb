# cmake --install build/release --prefix /usr
include(GNUInstallDirs)
install(TARGETS yushid yushi)
install(DIRECTORY parsers/library/ DESTINATION ${CMAKE_INSTALL_DATADIR}/yushi/parsers FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY config/secrets/ DESTINATION ${CMAKE_INSTALL_DATADIR}/yushi/secrets FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY config/sigma/ DESTINATION ${CMAKE_INSTALL_DATADIR}/yushi/sigma FILES_MATCHING PATTERN "*.yaml")
install(DIRECTORY config/rules/ DESTINATION ${CMAKE_INSTALL_DATADIR}/yushi/rules)
install(FILES systemd/yushid.service DESTINATION lib/systemd/system)
install(FILES systemd/yushi.sysusers DESTINATION lib/sysusers.d RENAME yushi.conf)
install(FILES docs/man/yushi.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES docs/man/yushid.8 DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${CMAKE_BINARY_DIR}/completion/yushi DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
# Where Debian's zsh looks for what packages bring; below another prefix, as /usr/local, it looks into site-functions.
install(CODE "
  set(folder site-functions)
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    set(folder vendor-completions)
  endif()
  file(INSTALL \"${CMAKE_BINARY_DIR}/completion/_yushi\"
    DESTINATION \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DATADIR}/zsh/\${folder}\")")
# Not to /etc: a second install must not write over what stands there.
install(FILES README.md config/yushi.yaml docs/query.md docs/api.md docs/detection.md docs/adding-a-parser.md docs/secrets.md docs/parsers.md docs/time.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES proto/yushi/v1/record.proto DESTINATION ${CMAKE_INSTALL_DATADIR}/yushi/proto/yushi/v1)
