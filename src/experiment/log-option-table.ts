/**
 * The options of logs and progress, a part of the table of options. They may change when an experiment is continued.
 */
import type { Option } from './option.ts'

export const LOG_OPTIONS = {
  logFolder: {
    kind: 'path',
    default: './logs',
    flag: '--log-folder',
    description:
      'Folder of the logs. Each trajectory gets a subfolder, unless the name contains $traj, $env or $host.',
  },
  logLevel: {
    kind: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    default: 'info',
    flag: '--log-level',
    description: 'Minimum log level: error, warn, info or debug.',
  },
  logging: {
    kind: 'switch',
    default: true,
    flag: '--log',
    offDescription: 'Do not write logs. What the job prints goes to the terminal.',
    description: 'Write logs.',
  },
  logRuns: {
    kind: 'text',
    flag: '--log-runs',
    bareFlag: '$run.txt',
    description:
      'Also write a log file for each run: $run.txt, or another name with $run, $set, $proc, $env, $traj or $host.',
  },
  logStdout: {
    kind: 'switch',
    default: true,
    flag: '--log-stdout',
    offDescription: 'Print what the job prints on the terminal instead of the logs.',
    description: 'Write what the job prints to the logs instead of the terminal.',
  },
  logTransports: {
    kind: 'path',
    flag: '--log-transports',
    description: 'Module with your own winston transports, which also get every log line.',
  },
  progress: {
    kind: 'choice',
    choices: ['auto', 'bar', 'lines', 'json', 'none'],
    default: 'auto',
    flag: '--progress',
    description:
      'How to show progress: bar, lines, json or none; auto shows a bar on a terminal and lines elsewhere.',
  },
  progressStep: {
    kind: 'number',
    minimum: 1,
    maximum: 100,
    default: 5,
    flag: '--progress-step',
    description: 'Percentage of the runs between two progress lines, shown and logged.',
  },
} as const satisfies Readonly<Record<string, Option>>

export const LOG_OPTION_NAMES = [
  'logFolder',
  'logLevel',
  'logging',
  'logRuns',
  'logStdout',
  'logTransports',
  'progress',
  'progressStep',
] as const satisfies readonly (keyof typeof LOG_OPTIONS)[]
