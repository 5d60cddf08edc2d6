# Writes OUTPUT, the C++ source with the FILES of DIRECTORY as bytes (http/page.h).
set(rows "")
set(arrays "")
foreach(name ${FILES})
  file(READ ${DIRECTORY}/${name} bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(MAKE_C_IDENTIFIER ${name} identifier)
  string(APPEND arrays "constexpr char ${identifier}[] = {${bytes}};\n")
  string(APPEND rows "  if (name == \"${name}\") return {${identifier}, sizeof ${identifier}};\n")
endforeach()
file(WRITE ${OUTPUT} "#include \"http/page.h\"\n
namespace dagsync {\nnamespace {\n\n${arrays}\n}  // namespace\n
std::string_view page_file(std::string_view name) {\n${rows}  return {};\n}\n
}  // namespace dagsync\n")
