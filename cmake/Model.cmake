# wolke_model(SERVICE): target wolke_model_<service>, generated at build time from models/<service>.json and its overlay.
# Its include tree is ${CMAKE_BINARY_DIR}/include/model_<service>, so wolke_module(... DEPENDS model/<service>) works.
set(WOLKE_MODELGEN ${CMAKE_SOURCE_DIR}/tools/modelgen.py)
file(GLOB WOLKE_MODELGEN_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/models/*.py)

function(wolke_model service)
  set(models ${CMAKE_SOURCE_DIR}/models)
  set(gen ${CMAKE_BINARY_DIR}/gen/${service})
  set(out ${gen}/wolke/model/${service})
  set(files ${out}/types.h ${out}/operations.h ${out}/schema.cc)
  add_custom_command(
    OUTPUT ${files}
    COMMAND ${Python3_EXECUTABLE} ${WOLKE_MODELGEN} --models ${models} generate ${service} --out ${out}
    DEPENDS ${WOLKE_MODELGEN} ${WOLKE_MODELGEN_SOURCES} ${models}/${service}.json ${models}/${service}.served
            ${models}/overlay/${service}.json
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
endfunction()
