/** The options of logs and progress, a part of the table of options. They may differ where an experiment is continued. */
import type { Option } from './option.ts'

export const LOG_OPTIONS = {
  logFolder: {
    kind: 'path',
    default: './logs',
    flag: '--log-folder',
    description:
      'Folder of the logs; each trajectory gets its own folder in it, unless it is named with $traj, $env or $host.',
  },
  logLevel: {
    kind: 'choice',
    choices: ['error', 'warn', 'info', 'debug'],
    default: 'info',
    flag: '--log-level',
    description: 'The least important lines that are logged: error, warn, info or debug.',
  },
  logging: {
    kind: 'switch',
    default: true,
    flag: '--log',
    offDescription: 'Write no logs; what the job prints goes to the terminal.',
    description: 'Write logs.',
  },
  logRuns: {
    kind: 'text',
    flag: '--log-runs',
    bareFlag: '$run.txt',
    description:
      'A file in the folder of the logs for each run, too: $run.txt, or another name with $run, $set, $proc, $env, $traj, $host.',
  },
  logStdout: {
    kind: 'switch',
    default: true,
    flag: '--log-stdout',
    offDescription: 'Let what the job prints go to the terminal, and not to the logs.',
    description: 'Write what the job prints to the logs, and not to the terminal.',
  },
  logTransports: {
    kind: 'path',
    flag: '--log-transports',
    description: 'A module with winston transports of your own, which get every line of the log, too.',
  },
  progress: {
    kind: 'choice',
    choices: ['auto', 'bar', 'lines', 'json', 'none'],
    default: 'auto',
    flag: '--progress',
    description:
      'How progress is shown: bar, lines, json or none; auto is a bar on a terminal, and lines elsewhere.',
  },
  progressStep: {
    kind: 'number',
    minimum: 1,
    maximum: 100,
    default: 5,
    flag: '--progress-step',
    description: 'Percent of the runs after which there is a line about the progress, shown and logged.',
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
