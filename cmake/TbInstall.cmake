# What `cmake --install` and `./tb install PREFIX` put where: the program, DuckDB's library beside
# it, the module libraries with their headers as the CMake package `tradeblocks`, man page,
# completions and licences.
include(CMakePackageConfigHelpers)

get_property(tb_all_targets DIRECTORY PROPERTY BUILDSYSTEM_TARGETS)
set(tb_libraries "")
foreach(target IN LISTS tb_all_targets)
    get_target_property(type ${target} TYPE)
    if(target MATCHES "^tb_" AND NOT target STREQUAL "tb_compiler_flags"
       AND type MATCHES "^(STATIC|INTERFACE)_LIBRARY$")
        list(APPEND tb_libraries ${target})
    endif()
endforeach()
add_custom_target(libraries)
add_dependencies(libraries ${tb_libraries})

# What has a name of its own in folders that others use, too (see TbInstallCheck.cmake).
set(tb_install_files "${CMAKE_INSTALL_BINDIR}/tradeblocks"
    "${CMAKE_INSTALL_MANDIR}/man1/tradeblocks.1"
    "${CMAKE_INSTALL_DATADIR}/bash-completion/completions/tradeblocks"
    "${CMAKE_INSTALL_DATADIR}/zsh/site-functions/_tradeblocks"
    "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d/tradeblocks.fish")
if(NOT DUCKDB_LIBRARY MATCHES "^/usr/lib/")
    file(REAL_PATH "${DUCKDB_LIBRARY}" tb_duckdb_file)
    get_filename_component(tb_duckdb_name "${tb_duckdb_file}" NAME)
    list(APPEND tb_install_files "${CMAKE_INSTALL_LIBDIR}/${tb_duckdb_name}")
endif()
# tb_install_step(check|record): at this place of the installation.
function(tb_install_step step)
    install(CODE "set(TB_INSTALL_STEP \"${step}\")
        set(TB_INSTALL_FILES \"${tb_install_files}\")
        set(TB_INSTALL_RECORD \"${CMAKE_INSTALL_DATADIR}/doc/tradeblocks/installed-files\")
        include(\"${CMAKE_SOURCE_DIR}/cmake/TbInstallCheck.cmake\")")
endfunction()
tb_install_step(check)

install(TARGETS tradeblocks_installed RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS ${tb_libraries} EXPORT tradeblocksTargets
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${CMAKE_SOURCE_DIR}/src/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/tradeblocks"
    FILES_MATCHING PATTERN "*.h")

# A DuckDB of the system stays where it is.
if(NOT DUCKDB_LIBRARY MATCHES "^/usr/lib/")
    install(PROGRAMS "${tb_duckdb_file}" DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()

install(EXPORT tradeblocksTargets NAMESPACE tradeblocks::
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/tradeblocks")
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/tradeblocksConfig.cmake.in"
    "${CMAKE_BINARY_DIR}/tradeblocksConfig.cmake"
    INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/tradeblocks"
    PATH_VARS CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/tradeblocksConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/tradeblocksConfig.cmake"
    "${CMAKE_BINARY_DIR}/tradeblocksConfigVersion.cmake"
    DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/tradeblocks")

# tb_add_generated(TARGET FILE ARGUMENTS...): what the program prints about itself, as a file.
function(tb_add_generated target file)
    string(JOIN " " arguments ${ARGN})
    add_custom_command(OUTPUT "${file}"
        COMMAND sh -c "\"$<TARGET_FILE:tradeblocks>\" ${arguments} > \"${file}\""
        DEPENDS tradeblocks VERBATIM)
    set_property(GLOBAL APPEND PROPERTY TB_GENERATED_${target} "${file}")
endfunction()
file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/man" "${CMAKE_BINARY_DIR}/completions")
tb_add_generated(man "${CMAKE_BINARY_DIR}/man/tradeblocks.1" --man-page)
tb_add_generated(completions "${CMAKE_BINARY_DIR}/completions/tradeblocks" completion bash)
tb_add_generated(completions "${CMAKE_BINARY_DIR}/completions/_tradeblocks" completion zsh)
tb_add_generated(completions "${CMAKE_BINARY_DIR}/completions/tradeblocks.fish" completion fish)
foreach(target man completions)
    get_property(files GLOBAL PROPERTY TB_GENERATED_${target})
    add_custom_target(${target} ALL DEPENDS ${files})
endforeach()
install(FILES "${CMAKE_BINARY_DIR}/man/tradeblocks.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${CMAKE_BINARY_DIR}/completions/tradeblocks"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES "${CMAKE_BINARY_DIR}/completions/_tradeblocks"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions")
install(FILES "${CMAKE_BINARY_DIR}/completions/tradeblocks.fish"
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")

# Our licence, and those of what is inside the binaries: DuckDB's from its package, the others as
# Debian ships them.
set(tb_licences "${CMAKE_INSTALL_DATADIR}/doc/tradeblocks")
install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" "${CMAKE_SOURCE_DIR}/THIRD_PARTY.md"
    DESTINATION "${tb_licences}")
install(FILES "${CMAKE_SOURCE_DIR}/third_party/duckdb/DUCKDB-LICENSE"
    DESTINATION "${tb_licences}/third_party" RENAME duckdb.txt)
install(FILES "${CMAKE_SOURCE_DIR}/third_party/uplot/UPLOT-LICENSE"
    DESTINATION "${tb_licences}/third_party" RENAME uplot.txt)
foreach(package libfmt-dev nlohmann-json3-dev libcli11-dev libexpected-dev
        libhowardhinnant-date-dev libboost1.81-dev libssl-dev libutf8proc-dev)
    if(EXISTS "/usr/share/doc/${package}/copyright")
        install(FILES "/usr/share/doc/${package}/copyright"
            DESTINATION "${tb_licences}/third_party" RENAME ${package}.txt)
    endif()
endforeach()

tb_install_step(record)
