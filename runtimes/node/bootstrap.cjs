'use strict';
// What runs first in a Node sandbox: it loads the handler and serves invocations, one at a time, as frames over
// descriptor 3 (src/runtime/README.md has the layout). The event loop runs during an invocation: the socket is
// unreferenced then, so "beforeExit" means that nothing of the function's is left to wait for.

const net = require('node:net');
const { fault_json, Fault } = require('./fault.cjs');
const log = require('./log.cjs');
const { teach_old_sdk } = require('./endpoint.cjs');
const { load_handler, takes_callback } = require('./handler.cjs');

const HEADER_BYTES = 12;
const FRAME_INVOKE = 1;
const FRAME_READY = 16, FRAME_INIT_ERROR = 17, FRAME_RESULT = 18, FRAME_ERROR = 19, FRAME_FATAL = 20;
const RESPONSE_BYTES_MAX = 6291556; // https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

const socket = new net.Socket({ fd: 3, readable: true, writable: true });
// The server is gone, or kills us: there is nobody left to answer.
socket.on('error', () => process.exit(0));
socket.on('end', () => process.exit(0));

function send(type, id, text, then) {
  const bytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  frame.writeUInt32LE(bytes, 0);
  frame.writeUInt32LE(type, 4);
  frame.writeUInt32LE(id, 8);
  frame.write(text, HEADER_BYTES);
  socket.write(frame, then);
}

// ---- one invocation -------------------------------------------------------------------------------------------------

/** The invocation in progress; undefined between two. */
let current;

/** Of what callback, context and promise say, the first word counts. */
class Invocation {
  constructor(id, promises) {
    this.id = id;
    this.promises = promises; // its answer comes by a promise, which must settle
    this.waits_for_empty_loop = true;
    this.said = false;
    this.pending = undefined; // a callback's result that waits for the empty event loop
  }

  is_first() {
    if (this.said || current !== this) return false;
    this.said = true;
    return true;
  }

  succeed(value) {
    if (this.is_first()) this.answer(value);
  }

  fail(error) {
    if (this.is_first()) this.report(error);
  }

  /** The third parameter of a callback style handler. */
  callback(error, value) {
    if (!this.is_first()) return;
    if (error !== undefined && error !== null) return this.report(error);
    if (!this.waits_for_empty_loop) return this.answer(value);
    this.pending = { value };
  }

  /** Nothing is left to run: what the callback said counts; a handler that said nothing has answered null. */
  loop_is_empty() {
    if (this.pending) return this.answer(this.pending.value);
    if (!this.promises) return this.answer(null);
    this.report(new Fault('Runtime.NodeJsExit',
      'The Lambda runtime client detected an unexpected Node.js exit code. This is most commonly caused by a Promise ' +
      'that was never settled. For more information, see https://nodejs.org/docs/latest/api/process.html#exit-codes'));
  }

  answer(value) {
    let text;
    try {
      text = JSON.stringify(value === undefined ? null : value);
      if (text === undefined) text = 'null'; // a function or a symbol
    } catch {
      return this.report(new Error('Unable to stringify response body'));
    }
    if (Buffer.byteLength(text) > RESPONSE_BYTES_MAX) {
      return this.finish(FRAME_ERROR, JSON.stringify({
        errorType: 'Function.ResponseSizeTooLarge',
        errorMessage: `Response payload size exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`,
      }));
    }
    this.finish(FRAME_RESULT, text);
  }

  report(error) {
    log.fault('Invoke Error', error);
    this.finish(FRAME_ERROR, fault_json(error));
  }

  finish(type, text) {
    current = undefined;
    socket.ref();
    send(type, this.id, text);
  }
}

function make_context(invocation, meta, callbacks) {
  const env = process.env;
  const context = {};
  if (callbacks) {
    Object.defineProperty(context, 'callbackWaitsForEmptyEventLoop', {
      enumerable: true,
      get: () => invocation.waits_for_empty_loop,
      set: (value) => { invocation.waits_for_empty_loop = value; },
    });
    context.succeed = (value) => invocation.succeed(value);
    context.fail = (error) => invocation.fail(error === undefined || error === null ? 'handled' : error);
    context.done = (error, value) =>
      error === undefined || error === null ? invocation.succeed(value) : invocation.fail(error);
  }
  context.functionVersion = env.AWS_LAMBDA_FUNCTION_VERSION;
  context.functionName = env.AWS_LAMBDA_FUNCTION_NAME;
  context.memoryLimitInMB = env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE;
  context.logGroupName = env.AWS_LAMBDA_LOG_GROUP_NAME;
  context.logStreamName = env.AWS_LAMBDA_LOG_STREAM_NAME;
  context.clientContext = meta.client_context;
  context.identity = undefined; // set only for calls that come through an identity pool
  context.invokedFunctionArn = meta.arn;
  context.awsRequestId = meta.request_id;
  context.getRemainingTimeInMillis = () => meta.deadline_ms - Date.now();
  return context;
}

function invoke(handler, callbacks, id, payload) {
  const meta_bytes = payload.readUInt32LE(0);
  const meta = JSON.parse(payload.toString('utf8', 4, 4 + meta_bytes));
  const invocation = new Invocation(id, !callbacks || handler.constructor?.name === 'AsyncFunction');
  current = invocation;
  log.set_request(meta.request_id);
  if (meta.trace) process.env._X_AMZN_TRACE_ID = meta.trace;
  else delete process.env._X_AMZN_TRACE_ID;
  socket.unref();
  try {
    const event = JSON.parse(payload.toString('utf8', 4 + meta_bytes));
    const context = make_context(invocation, meta, callbacks);
    const answer = callbacks
      ? handler(event, context, (error, value) => invocation.callback(error, value))
      : handler(event, context);
    if (answer && typeof answer.then === 'function') {
      answer.then((value) => invocation.succeed(value), (error) => invocation.fail(error));
    } else if (!callbacks) {
      invocation.succeed(answer);
    }
  } catch (error) {
    invocation.fail(error);
  }
}

// ---- frames ---------------------------------------------------------------------------------------------------------

function serve(handler, callbacks) {
  let chunks = [];
  let buffered = 0;
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    buffered += chunk.length;
    if (buffered < HEADER_BYTES) return;
    if (chunks[0].length < HEADER_BYTES) chunks = [Buffer.concat(chunks)];
    const whole = HEADER_BYTES + chunks[0].readUInt32LE(0);
    if (buffered < whole) return;
    const frame = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    chunks = frame.length > whole ? [frame.subarray(whole)] : [];
    buffered -= whole;
    if (frame.readUInt32LE(4) === FRAME_INVOKE) {
      invoke(handler, callbacks, frame.readUInt32LE(8), frame.subarray(HEADER_BYTES, whole));
    }
  });
  process.on('beforeExit', () => {
    if (current) current.loop_is_empty();
  });
}

/** An error that nobody caught: the invocation fails with it and the process ends, as its state is unknown. */
function end_with(error, exit_code) {
  const failed = current;
  current = undefined;
  socket.ref();
  if (!failed) return process.exit(exit_code);
  send(FRAME_FATAL, failed.id, fault_json(error), () => process.exit(exit_code));
}

async function main() {
  log.patch_console();
  teach_old_sdk();
  let ready = false;
  const fail_init = (error) => {
    log.fault(takes_callback() ? 'Uncaught Exception' : 'Init Error', error);
    send(FRAME_INIT_ERROR, 0, fault_json(error), () => process.exit(1));
  };
  process.on('uncaughtException', (error) => {
    if (!ready) return fail_init(error);
    log.fault('Uncaught Exception', error);
    end_with(error, 129);
  });
  process.on('unhandledRejection', (reason) => {
    const error = new Fault('Runtime.UnhandledPromiseRejection', reason instanceof Error ? String(reason) : `${reason}`);
    error.reason = reason;
    if (reason instanceof Error) error.stack = reason.stack;
    if (!ready) return fail_init(error);
    log.fault('Unhandled Promise Rejection', error);
    end_with(error, 128);
  });
  let handler;
  let callbacks;
  try {
    handler = await load_handler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
    callbacks = takes_callback();
  } catch (error) {
    return fail_init(error);
  }
  ready = true;
  serve(handler, callbacks);
  send(FRAME_READY, 0, JSON.stringify({ version: process.version }));
}

main();
