# wolke_model(SERVICE): target wolke_model_<service>, generated at build time from models/<service>.json and its overlay.
# MODELS names another directory than models/ (tests have a small model of their own). The include tree is
# ${CMAKE_BINARY_DIR}/include/model_<service>, so wolke_module(... DEPENDS model/<service>) works.
function(wolke_model service)
  cmake_parse_arguments(M "" "MODELS" "" ${ARGN})
  set(modelgen ${CMAKE_SOURCE_DIR}/tools/modelgen.py)
  file(GLOB modelgen_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/models/*.py)
  set(models ${CMAKE_SOURCE_DIR}/models)
  if(M_MODELS)
    set(models ${M_MODELS})
  endif()
  file(GLOB overlay CONFIGURE_DEPENDS ${models}/overlay/${service}.json)
  set(gen ${CMAKE_BINARY_DIR}/gen/${service})
  set(out ${gen}/wolke/model/${service})
  set(files ${out}/types.h ${out}/operations.h ${out}/schema.cc)
  add_custom_command(
    OUTPUT ${files}
    COMMAND ${Python3_EXECUTABLE} ${modelgen} --models ${models} generate ${service} --out ${out}
    DEPENDS ${modelgen} ${modelgen_sources} ${models}/${service}.json ${models}/${service}.served
            ${overlay}
    COMMENT "model ${service}" VERBATIM)
  # The headers must exist before anything that includes them is compiled, not only before our own library.
  add_custom_target(wolke_model_${service}_files DEPENDS ${files})

  set(tree ${CMAKE_BINARY_DIR}/include/model_${service})
  file(MAKE_DIRECTORY ${out} ${tree}/wolke/model)
  file(CREATE_LINK ${out} ${tree}/wolke/model/${service} SYMBOLIC)

  add_library(wolke_model_${service} STATIC ${files})
  add_dependencies(wolke_model_${service} wolke_model_${service}_files)
  target_include_directories(wolke_model_${service} PRIVATE ${tree} ${CMAKE_BINARY_DIR}/include/shape
                                                            ${CMAKE_BINARY_DIR}/include/base)
  target_link_libraries(wolke_model_${service} PUBLIC wolke_shape)
  wolke_precompile(wolke_model_${service} wolke_precompiled)
endfunction()
