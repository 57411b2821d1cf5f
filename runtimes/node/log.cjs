'use strict';
// console.* as Lambda writes it: time, request id, level and message, parted by tabs. One call is one log event: the
// line starts with a record separator (0x1e) and its line feeds travel as carriage returns, which the server turns back.

const { writeSync } = require('node:fs');

let request_id = 'undefined';

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

function write(level, message) {
  const text = `${new Date().toISOString()}\t${request_id}\t${level}\t${message}`;
  write_all(Buffer.from('\x1e' + text.replaceAll('\n', '\r') + '\n'));
}

let format; // node:util, loaded at the first message
function line_for(level) {
  return (...parts) => {
    format ??= require('node:util').format;
    write(level, format(...parts));
  };
}

const error = line_for('ERROR');

function patch_console() {
  console.log = line_for('INFO');
  console.info = console.log;
  console.warn = line_for('WARN');
  console.error = error;
  console.debug = line_for('DEBUG');
  const trace = line_for('TRACE');
  console.trace = (...parts) => {
    format ??= require('node:util').format;
    const here = { name: 'Trace', message: format(...parts) };
    Error.captureStackTrace(here, console.trace);
    trace(here.stack);
  };
}

module.exports = { patch_console, error, set_request: (id) => { request_id = id; } };
