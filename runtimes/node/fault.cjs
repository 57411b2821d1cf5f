'use strict';
// Errors in the two forms that Lambda's Node runtimes give them: {errorType, errorMessage, trace} for the caller, and
// one JSON line with every own property for the log.

/** An error of the runtime, not of the function's code: its name is Lambda's errorType. */
class Fault extends Error {
  constructor(type, message) {
    super(message);
    this.name = type;
    // "Error: message" was captured before the name was known.
    this.stack = `${type}: ${message}\n` + String(this.stack).split('\n').filter((l) => l.startsWith('    at ')).join('\n');
  }
}

/** Errors of other realms, and what has the members of one. */
function is_error(value) {
  return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]' ||
    [value?.name, value?.message, value?.stack].every((member) => typeof member === 'string' && member !== '');
}

function fault_json(error) {
  try {
    if (is_error(error)) {
      return JSON.stringify({
        errorType: String(error.name),
        errorMessage: String(error.message),
        trace: String(error.stack).split('\n'),
      });
    }
    return JSON.stringify({ errorType: typeof error, errorMessage: String(error), trace: [] });
  } catch {
    return JSON.stringify({
      errorType: 'handled',
      errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its ' +
        'message, name, and stack',
    });
  }
}

function own_properties(_key, value) {
  if (!(value instanceof Error)) return value;
  const members = Object.assign({ errorType: value.name, errorMessage: value.message, code: value.code }, value);
  delete members.name; // said by errorType
  if (typeof value.stack === 'string') members.stack = value.stack.split('\n');
  return members;
}

function format_for_log(error) {
  try {
    if (!is_error(error)) return JSON.stringify({ errorType: typeof error, errorMessage: String(error), stack: [] });
    return JSON.stringify(error, own_properties);
  } catch {
    return fault_json(error);
  }
}

module.exports = { Fault, fault_json, format_for_log };
