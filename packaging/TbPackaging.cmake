# Target `mcpb`: build/<preset>/tradeblocks-<version>-<platform>.mcpb, which Claude Desktop installs
# by a double click: manifest, program, DuckDB's library, licences. With the two variables below
# also server.json beside it, for publishing in the MCP registry.
set(TB_REGISTRY_NAME "" CACHE STRING
    "Our name in the MCP registry, for instance io.github.OWNER/tradeblocks")
set(TB_RELEASE_URL "" CACHE STRING "Where the bundle is published, without its file name")

if(APPLE)
    set(TB_MCPB_PLATFORM darwin)
else()
    set(TB_MCPB_PLATFORM linux)
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/manifest.json.in" "${CMAKE_BINARY_DIR}/mcpb/manifest.json"
    @ONLY)

# The layout of the bundle is an install component of its own, so that the program finds the library
# beside it instead of where it was built.
install(FILES "${CMAKE_BINARY_DIR}/mcpb/manifest.json" DESTINATION .
    COMPONENT mcpb EXCLUDE_FROM_ALL)
install(TARGETS tradeblocks_installed RUNTIME DESTINATION server COMPONENT mcpb EXCLUDE_FROM_ALL)
file(REAL_PATH "${DUCKDB_LIBRARY}" tb_bundled_duckdb)
install(PROGRAMS "${tb_bundled_duckdb}" DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    COMPONENT mcpb EXCLUDE_FROM_ALL)
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/THIRD_PARTY.md"
    "${CMAKE_SOURCE_DIR}/third_party/duckdb/DUCKDB-LICENSE" DESTINATION licences
    COMPONENT mcpb EXCLUDE_FROM_ALL)

foreach(package libfmt-dev nlohmann-json3-dev libcli11-dev libexpected-dev
        libhowardhinnant-date-dev libboost1.81-dev libssl-dev libutf8proc-dev)
    if(EXISTS "/usr/share/doc/${package}/copyright")
        install(FILES "/usr/share/doc/${package}/copyright" DESTINATION licences
            RENAME ${package}.txt COMPONENT mcpb EXCLUDE_FROM_ALL)
    endif()
endforeach()
install(FILES "${CMAKE_SOURCE_DIR}/third_party/uplot/UPLOT-LICENSE" DESTINATION licences
    COMPONENT mcpb EXCLUDE_FROM_ALL)

set(tb_platform "${TB_MCPB_PLATFORM}-${CMAKE_SYSTEM_PROCESSOR}")
set(tb_bundle "${CMAKE_BINARY_DIR}/tradeblocks-${PROJECT_VERSION}-${tb_platform}.mcpb")
add_custom_target(mcpb
    COMMAND "${CMAKE_COMMAND}"
        "-DTB_BUILD_DIR=${CMAKE_BINARY_DIR}"
        "-DTB_PROGRAM=$<TARGET_FILE:tradeblocks>"
        "-DTB_LIBDIR=${CMAKE_INSTALL_LIBDIR}"
        "-DTB_OUTPUT=${tb_bundle}"
        "-DTB_VERSION=${PROJECT_VERSION}"
        "-DTB_REGISTRY_NAME=${TB_REGISTRY_NAME}"
        "-DTB_RELEASE_URL=${TB_RELEASE_URL}"
        -P "${CMAKE_CURRENT_LIST_DIR}/make_mcpb.cmake"
    DEPENDS tradeblocks tradeblocks_installed VERBATIM)
