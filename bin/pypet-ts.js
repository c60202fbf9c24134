#!/usr/bin/env node
import { launch } from '../dist/launch.js'

// Node ends with 13, and says nothing, when nothing is left that could go on.
process.on('exit', () => {
  if (process.exitCode !== 13) return
  process.exitCode = 1
  process.stderr.write(
    'error: nothing is left that could go on: something that was awaited never comes\n' +
      '  hint: Does a promise of the job, of post-processing or of the storage service never resolve?\n',
  )
})
await launch(process.argv, process.env)
