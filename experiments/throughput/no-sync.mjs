/** Loaded before anything else (`node --import`), it makes every sync of a file do nothing: what is left is the cost without. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'

fs.fsyncSync = () => undefined
fs.fdatasyncSync = () => undefined
syncBuiltinESMExports()
