# Runs as part of `cmake --install`, first with TB_INSTALL_STEP "check", last with "record".
#
# Nothing is installed into a data directory, and a file that lies where one of ours has a name of
# its own (TB_INSTALL_FILES, relative to the prefix) is only replaced when an earlier installation
# put it there: its SHA-256 is in the record then. TB_INSTALL_FORCE=1 in the environment (./tb
# install PREFIX --force) replaces it all the same.
cmake_policy(VERSION 3.25)
set(prefix "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}")
set(record "${prefix}/${TB_INSTALL_RECORD}")

if(TB_INSTALL_STEP STREQUAL "record")
    set(text "")
    foreach(name IN LISTS TB_INSTALL_FILES)
        if(EXISTS "${prefix}/${name}")
            file(SHA256 "${prefix}/${name}" sum)
            string(APPEND text "${sum}  ${name}\n")
        endif()
    endforeach()
    file(WRITE "${record}" "${text}")
    return()
endif()

get_filename_component(folder "${prefix}" ABSOLUTE)
while(NOT EXISTS "${folder}")
    get_filename_component(folder "${folder}" DIRECTORY)
endwhile()
file(REAL_PATH "${folder}" folder)
while(TRUE)
    foreach(mark analytics.duckdb .tradeblocks .tradeblocks-sample _marketdata)
        if(EXISTS "${folder}/${mark}")
            message(FATAL_ERROR
                "${prefix} lies in the data directory ${folder}; nothing was installed")
        endif()
    endforeach()
    get_filename_component(parent "${folder}" DIRECTORY)
    if(parent STREQUAL folder)
        break()
    endif()
    set(folder "${parent}")
endwhile()

set(known "")
if(EXISTS "${record}")
    file(STRINGS "${record}" known)
endif()
foreach(name IN LISTS TB_INSTALL_FILES)
    if(EXISTS "${prefix}/${name}" AND NOT "$ENV{TB_INSTALL_FORCE}" STREQUAL "1")
        file(SHA256 "${prefix}/${name}" sum)
        if(NOT "${sum}  ${name}" IN_LIST known)
            message(FATAL_ERROR
                "${prefix}/${name} is there already and was not installed by this program (or was "
                "changed since); nothing was installed. Name another prefix, or say "
                "`./tb install PREFIX --force` (TB_INSTALL_FORCE=1) to replace it")
        endif()
    endif()
endforeach()
