/** Generates `docs/configuration.md`: every option, from the table of options. */
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

This page is generated from the table of options (\`npm run docs\`), and a test checks that it is up to date.

Set options in a config file, variables, flags or \`new Environment({ … })\`. pypet-ts looks for config files from the job's folder upwards
(\`pypet.config.{ts,js,mjs,cjs,json,yaml,yml,toml}\`, \`.pypetrc*\`, \`pypet\` in \`package.json\`). Flags override variables, variables
override the config file, and the config file overrides the job. Names with a dot form a group: \`overviews: { results: false }\`. A config file
can also contain \`parameters\`, \`explore\` ([exploration](exploration.md)) and \`$schema\`. Paths in it are relative to its
folder; other paths are relative to the working directory.

| option | value | default | flag | variable | what it does |
| ------ | ----- | ------- | ---- | -------- | ------------ |`
