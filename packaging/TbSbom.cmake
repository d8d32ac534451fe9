# sbom.spdx.json: what the program was built from, in SPDX 2.3, with the versions found at configure
# time. Installed beside the licences and put into the bundle.
set(tb_sbom "${CMAKE_BINARY_DIR}/sbom.spdx.json")
set(tb_sbom_parts "")

# name, version ("" = not told by its package), SPDX licence, how it is used
function(tb_sbom_add name version licence relation)
    if(NOT version)
        set(version NOASSERTION)
    endif()
    string(REGEX REPLACE "[^A-Za-z0-9]" "-" id "${name}")
    set(part "{\"SPDXID\": \"SPDXRef-${id}\", \"name\": \"${name}\", \"versionInfo\": \"${version}\",
   \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false,
   \"licenseConcluded\": \"${licence}\", \"licenseDeclared\": \"${licence}\",
   \"copyrightText\": \"NOASSERTION\", \"comment\": \"${relation}\"}")
    string(APPEND tb_sbom_parts ",\n  ${part}")
    set(relation_json "{\"spdxElementId\": \"SPDXRef-tradeblocks\", \"relationshipType\":
   \"DEPENDS_ON\", \"relatedSpdxElement\": \"SPDXRef-${id}\"}")
    string(APPEND tb_sbom_relations ",\n  ${relation_json}")
    set(tb_sbom_parts "${tb_sbom_parts}" PARENT_SCOPE)
    set(tb_sbom_relations "${tb_sbom_relations}" PARENT_SCOPE)
endfunction()

# The version an npm lock file pins.
function(tb_locked_version folder package out)
    file(READ "${CMAKE_SOURCE_DIR}/third_party/${folder}/package-lock.json" lock)
    string(JSON version ERROR_VARIABLE none GET "${lock}" packages "node_modules/${package}" version)
    set(${out} "${version}" PARENT_SCOPE)
endfunction()

set(tb_duckdb_version "")
if(DUCKDB_LIBRARY MATCHES "/third_party/duckdb/node_modules/(@duckdb/node-bindings-[a-z0-9-]+)/")
    tb_locked_version(duckdb "${CMAKE_MATCH_1}" tb_duckdb_version)
endif()
tb_locked_version(uplot uplot tb_uplot_version)
find_file(TB_CLI11_VERSION_HEADER CLI/Version.hpp) # its package is headers only
mark_as_advanced(TB_CLI11_VERSION_HEADER)
set(tb_cli11_version "")
if(TB_CLI11_VERSION_HEADER)
    file(STRINGS "${TB_CLI11_VERSION_HEADER}" tb_cli11_line REGEX "CLI11_VERSION \"")
    string(REGEX REPLACE ".*\"(.*)\".*" "\\1" tb_cli11_version "${tb_cli11_line}")
endif()
tb_sbom_add(DuckDB "${tb_duckdb_version}" MIT "shared library")
tb_sbom_add(fmt "${fmt_VERSION}" MIT "shared library")
tb_sbom_add(OpenSSL "${OPENSSL_VERSION}" Apache-2.0 "shared library")
tb_sbom_add(date "${date_VERSION}" MIT "shared library and headers")
tb_sbom_add(nlohmann-json "${nlohmann_json_VERSION}" MIT headers)
tb_sbom_add(CLI11 "${tb_cli11_version}" BSD-3-Clause headers)
tb_sbom_add(tl-expected "${tl-expected_VERSION}" CC0-1.0 headers)
tb_sbom_add(Boost "${Boost_VERSION_STRING}" BSL-1.0 headers)
tb_sbom_add(utf8proc "${Utf8proc_VERSION}" MIT "compiled in")
tb_sbom_add(uPlot "${tb_uplot_version}" MIT "inside every report")

string(TIMESTAMP tb_sbom_time "%Y-%m-%dT%H:%M:%SZ" UTC) # SOURCE_DATE_EPOCH fixes it
file(CONFIGURE OUTPUT "${tb_sbom}" @ONLY CONTENT [[{
 "spdxVersion": "SPDX-2.3",
 "dataLicense": "CC0-1.0",
 "SPDXID": "SPDXRef-DOCUMENT",
 "name": "tradeblocks-@PROJECT_VERSION@",
 "documentNamespace": "urn:tradeblocks:sbom:@PROJECT_VERSION@:@CMAKE_SYSTEM_NAME@-@CMAKE_SYSTEM_PROCESSOR@",
 "creationInfo": {"created": "@tb_sbom_time@", "creators": ["Tool: tradeblocks-cmake"]},
 "documentDescribes": ["SPDXRef-tradeblocks"],
 "packages": [
  {"SPDXID": "SPDXRef-tradeblocks", "name": "tradeblocks", "versionInfo": "@PROJECT_VERSION@",
   "downloadLocation": "NOASSERTION", "filesAnalyzed": false,
   "licenseConcluded": "MIT", "licenseDeclared": "MIT", "copyrightText": "NOASSERTION"}@tb_sbom_parts@
 ],
 "relationships": [
  {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
   "relatedSpdxElement": "SPDXRef-tradeblocks"}@tb_sbom_relations@
 ]
}
]])
install(FILES "${tb_sbom}" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/tradeblocks")
install(FILES "${tb_sbom}" DESTINATION licences COMPONENT mcpb EXCLUDE_FROM_ALL)
