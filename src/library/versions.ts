import { RUNTIME_VERSION, VERSION } from '../environment/experiment-config.ts'

/** Who writes, for the table `info`. */
export const LIBRARY_VERSIONS = { version: VERSION, runtimeVersion: RUNTIME_VERSION } as const
