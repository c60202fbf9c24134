/** `docs/configuration.md`: every option, as the table of options declares it. */
import { expectedValue } from './option.ts'
import { environmentName, OPTION_NAMES, OPTIONS } from './options.ts'

/** The whole page, in Markdown. */
export function configReference(): string {
  const rows = OPTION_NAMES.map((name) => {
    const option = OPTIONS[name]
    const preset = option.default === undefined ? '' : `\`${JSON.stringify(option.default)}\``
    const flag = option.flag === undefined ? '' : `\`${flagOf(option.flag, option)}\``
    const description = option.description.replaceAll('|', '\\|').replaceAll('<', '&lt;')
    return `| \`${name}\` | ${expectedValue(option).replaceAll('|', '\\|')} | ${preset} | ${flag} | \`${environmentName(name)}\` | ${description} |`
  })
  return `${HEAD}\n${rows.join('\n')}\n`
}

function flagOf(flag: string, option: (typeof OPTIONS)[keyof typeof OPTIONS]): string {
  return option.kind === 'switch' && option.default === true ? flag.replace('--', '--no-') : flag
}

const HEAD = `# Configuration

Made from the table of options (\`npm run docs\`); a test holds that it is up to date.

Options stand in a config file, found from the job's folder upwards (\`pypet.config.{ts,js,mjs,cjs,json,yaml,yml,toml}\`, \`.pypetrc*\`,
\`pypet\` in \`package.json\`), in variables, in flags, and in \`new Environment({ … })\`. Flags win over variables, variables over the
config file, that over the job. Names with a dot form a group: \`overviews: { results: false }\`. Beside the options a config file
may hold \`parameters\`, \`explore\` ([exploration](exploration.md)) and \`$schema\`. Paths start from the config file's folder, else
from the working directory.

| option | value | default | flag | variable | what it does |
| ------ | ----- | ------- | ---- | -------- | ------------ |`
