# yushi_library(NAME DEPS...): one static library of all *.cc files of the current folder.
# A new file needs no edit here; a new dependency between folders does, and is meant to be seen in review. What a library is
# made of is its own: who includes a folder's headers names that folder (scripts/check-layout).
function(yushi_library name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main\\.cc$")
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARGN})
endfunction()
