# tb_add_module(NAME DEPS ... PRIVATE_DEPS ...): one static library from src/NAME/**/*.cc,
# alias tb::NAME. Headers are included as "NAME/file.h". PRECOMPILE <header>: a header that most of
# the module's files include and that costs more than they do.
function(tb_add_module name)
    cmake_parse_arguments(arg "" "" "DEPS;PRIVATE_DEPS;PRECOMPILE" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/src/${name}/*.cc")
    if(sources)
        add_library(tb_${name} STATIC ${sources})
        target_include_directories(tb_${name} PUBLIC
            $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tradeblocks>)
        target_link_libraries(tb_${name} PUBLIC ${arg_DEPS}
            PRIVATE ${arg_PRIVATE_DEPS} $<BUILD_INTERFACE:tb::compiler_flags>)
    else()
        add_library(tb_${name} INTERFACE)
        target_include_directories(tb_${name} INTERFACE
            $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src>
            $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/tradeblocks>)
        target_link_libraries(tb_${name} INTERFACE ${arg_DEPS})
    endif()
    if(TB_PRECOMPILE AND arg_PRECOMPILE)
        target_precompile_headers(tb_${name} PRIVATE ${arg_PRECOMPILE} <algorithm> <functional>
            <map> <memory> <optional> <string> <vector>)
    endif()
    set_target_properties(tb_${name} PROPERTIES EXPORT_NAME ${name})
    add_library(tb::${name} ALIAS tb_${name})
endfunction()

# tb_add_test(NAME DEPS ...): one GoogleTest program from tests/unit/NAME/*_test.cc, each test
# known to CTest by name. Skipped silently while the folder holds no test.
function(tb_add_test name)
    cmake_parse_arguments(arg "" "" "DEPS;LABELS" ${ARGN})
    file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/${name}/*.cc")
    if(NOT sources)
        return()
    endif()
    add_executable(${name}_test ${sources})
    target_link_libraries(${name}_test PRIVATE ${arg_DEPS} tb::test_support tb::compiler_flags
        GTest::gmock GTest::gtest_main rapidcheck)
    # The test frameworks cost more to compile than the tests: parsed once a program, and the tests
    # themselves are not optimized in any build type (what they test is).
    target_compile_options(${name}_test PRIVATE -O0)
    set_target_properties(${name}_test PROPERTIES TB_UNOPTIMIZED ON)
    if(TB_SANITIZE MATCHES "undefined")
        # Undefined behaviour is looked for in what is tested; in the tests it costs compile time.
        target_compile_options(${name}_test PRIVATE -fno-sanitize=undefined)
    endif()
    list(LENGTH sources source_count)
    if(TB_PRECOMPILE AND source_count GREATER 2)
        target_precompile_headers(${name}_test PRIVATE <gtest/gtest.h> <gmock/gmock.h>
            <rapidcheck.h> <filesystem> <functional> <map> <optional> <string> <vector>)
    endif()
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}." DISCOVERY_TIMEOUT 60
        PROPERTIES TIMEOUT 300 LABELS "${name};${arg_LABELS}")
endfunction()
