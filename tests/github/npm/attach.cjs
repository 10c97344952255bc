// Loaded into the emulator and into Prism before their own code: they listen on a free port of the
// loopback alone, say which, and end when whoever started them is gone.
'use strict';
const net = require('node:net');

const { listen } = net.Server.prototype;
net.Server.prototype.listen = function onLoopback(...given) {
  const done = given.find((one) => typeof one === 'function');
  this.once('listening', () => console.log(`noentry-port ${this.address().port}`));
  return listen.call(this, { host: '127.0.0.1', port: 0 }, done);
};

// The pipe closes however the test ends, also when it is killed.
process.stdin.on('end', () => process.exit(0)).resume();
