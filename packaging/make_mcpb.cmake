# Run by the target `mcpb` (TbPackaging.cmake): the bundle, a zip file, and server.json with its
# hash. Takes TB_BUILD_DIR, TB_PROGRAM, TB_LIBDIR, TB_OUTPUT, TB_VERSION, TB_REGISTRY_NAME and
# TB_RELEASE_URL.
set(stage "${TB_BUILD_DIR}/mcpb/stage")
file(REMOVE_RECURSE "${stage}")
execute_process(
    COMMAND "${CMAKE_COMMAND}" --install "${TB_BUILD_DIR}" --component mcpb --strip
        --prefix "${stage}"
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

# Libraries that a machine without the development packages need not have, under the names by
# which the program asks for them.
file(GET_RUNTIME_DEPENDENCIES EXECUTABLES "${TB_PROGRAM}"
    RESOLVED_DEPENDENCIES_VAR libraries UNRESOLVED_DEPENDENCIES_VAR unresolved
    POST_INCLUDE_REGEXES "/lib(fmt|crypto|ssl|utf8proc)\\.[^/]*$" POST_EXCLUDE_REGEXES ".*")
foreach(library IN LISTS libraries)
    get_filename_component(name "${library}" NAME)
    file(REAL_PATH "${library}" real)
    file(COPY_FILE "${real}" "${stage}/${TB_LIBDIR}/${name}")
endforeach()

file(REMOVE "${TB_OUTPUT}")
file(GLOB content RELATIVE "${stage}" "${stage}/*")
execute_process(
    COMMAND "${CMAKE_COMMAND}" -E tar cf "${TB_OUTPUT}" --format=zip ${content}
    WORKING_DIRECTORY "${stage}" COMMAND_ERROR_IS_FATAL ANY)
file(REMOVE_RECURSE "${stage}")
message(STATUS "${TB_OUTPUT}")

if(TB_REGISTRY_NAME AND TB_RELEASE_URL)
    file(SHA256 "${TB_OUTPUT}" TB_BUNDLE_SHA256)
    get_filename_component(TB_BUNDLE_NAME "${TB_OUTPUT}" NAME)
    configure_file("${CMAKE_CURRENT_LIST_DIR}/server.json.in" "${TB_BUILD_DIR}/server.json" @ONLY)
    message(STATUS "${TB_BUILD_DIR}/server.json")
endif()
