/**
 * Imported before anything else: libsignal prints whole session records, private keys included, to the console. What
 * must be told travels over the channel instead.
 */
function silent(): void {
  // Nothing that a dependency prints is fit to be seen.
}

console.log = silent;
console.info = silent;
console.warn = silent;
console.error = silent;
console.debug = silent;
console.trace = silent;
console.dir = silent;
