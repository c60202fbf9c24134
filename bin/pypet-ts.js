#!/usr/bin/env node

// Node ends with 13, and says nothing, when nothing is left that could go on.
process.on('exit', () => {
  if (process.exitCode !== 13) return
  process.exitCode = 1
  process.stderr.write(
    'error: nothing is left that could go on: something that was awaited never comes\n' +
      '  hint: Does a promise of the job, of post-processing or of the storage service never resolve?\n',
  )
})
try {
  const { launch } = await import('../dist/launch.js')
  await launch(process.argv, process.env)
} catch (error) {
  // Not even what tells of errors could be loaded.
  if (error?.code !== 'EMFILE' && error?.code !== 'ENFILE') throw error
  process.stderr.write(
    `error: pypet-ts cannot be loaded: ${error.message}\n` +
      '  hint: Allow more open files in this shell, and try again: ulimit -n 4096\n',
  )
  process.exit(1)
}
