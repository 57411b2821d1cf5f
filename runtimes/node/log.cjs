'use strict';
// console.* as Lambda writes it: time, request id, level and message, parted by tabs; or, where the function's log format is
// JSON, one object. One call is one log event: the line starts with a record separator (0x1e) and its line feeds travel as
// carriage returns, which the server turns back.

const { writeSync } = require('node:fs');
const { format_for_log } = require('./fault.cjs');

const json = process.env.AWS_LAMBDA_LOG_FORMAT?.toUpperCase() === 'JSON';
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const least = LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL?.toUpperCase());

let request_id; // undefined while the function is loaded

/** Blocks until all is written, so that what a function logged is there before its answer. */
function write_all(bytes) {
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== 'EAGAIN') return; // nobody reads any more
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function write(text) {
  write_all(Buffer.from('\x1e' + text.replaceAll('\n', '\r') + '\n'));
}

let util_format; // node:util, loaded at the first message
function format(...parts) {
  util_format ??= require('node:util').format;
  return util_format(...parts);
}

function line_of_text(level, parts) {
  return `${new Date().toISOString()}\t${request_id}\t${level}\t${format(...parts)}`;
}

function stack_lines(error) {
  return typeof error.stack === 'string' ? error.stack.split('\n') : [];
}

function described(error) {
  return {
    errorType: error.constructor?.name ?? 'UnknownError',
    errorMessage: error.message,
    stackTrace: stack_lines(error),
  };
}

/** A single value is the message as it is; several are formatted, and the first error among them is described beside. */
function line_of_json(level, parts) {
  const line = { timestamp: new Date().toISOString(), level, requestId: request_id };
  if (parts.length === 1) {
    line.message = parts[0];
    const with_errors = (_key, value) => (value instanceof Error ? Object.assign(described(value), value) : value);
    try {
      return JSON.stringify(line, with_errors);
    } catch {
      line.message = format(parts[0]); // a circle, a bigint
      return JSON.stringify(line);
    }
  }
  line.message = format(...parts);
  const error = parts.find((part) => part instanceof Error);
  return JSON.stringify(error ? Object.assign(line, described(error)) : line);
}

const line_of = json ? line_of_json : line_of_text;

function line_for(level) {
  if (LEVELS.indexOf(level) < least) return () => {};
  return (...parts) => write(line_of(level, parts));
}

const error = line_for('ERROR');

/** An error of the function's that nobody caught, as Lambda's runtimes report it. */
function fault(label, reason) {
  if (json) return error(reason instanceof Error ? reason : new Error(reason));
  error(label, '\t' + format_for_log(reason));
}

function patch_console() {
  console.log = line_for('INFO');
  console.info = console.log;
  console.warn = line_for('WARN');
  console.error = error;
  console.fatal = line_for('FATAL');
  console.debug = line_for('DEBUG');
  const trace = line_for('TRACE');
  console.trace = (...parts) => {
    if (json) return trace(...parts);
    const here = { name: 'Trace', message: format(...parts) };
    Error.captureStackTrace(here, console.trace);
    trace(here.stack);
  };
}

module.exports = { patch_console, fault, set_request: (id) => { request_id = id; } };
