/** Completion scripts for shells, generated from the program's commands and flags. */
import { PypetError } from '../../errors.ts'
import { OPTIONS } from '../../experiment/options.ts'

/** The part of commander's `Command` used here; only `main` imports commander. */
export interface CompletedCommand {
  name(): string
  description(): string
  readonly commands: readonly CompletedCommand[]
  readonly options: readonly CompletedOption[]
}

interface CompletedOption {
  readonly long?: string | null | undefined
  readonly description: string
  readonly required: boolean
  readonly argChoices?: readonly string[] | undefined
}

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish']

/**
 * A script for one shell, to be saved where it looks for completions.
 *
 * @throws PypetError `PYPET_USAGE` for another shell
 */
export function completionScript(program: CompletedCommand, shell: string): string {
  if (!SHELLS.includes(shell)) {
    throw new PypetError('PYPET_USAGE', `there is no completion for ${shell}`, {
      where: 'completion',
      hint: `Name one of ${SHELLS.join(', ')}.`,
    })
  }
  const commands = program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    flags: command.options.flatMap(flagOf),
  }))
  if (shell === 'bash') return bashScript(commands)
  return shell === 'zsh' ? zshScript(commands) : fishScript(commands)
}

interface Flag {
  readonly name: string
  readonly description: string
  readonly takesValue: boolean
  readonly choices: readonly string[]
}

interface Completed {
  readonly name: string
  readonly description: string
  readonly flags: readonly Flag[]
}

/** The first sentence of a description is enough. */
function flagOf({ long, description, required, argChoices }: CompletedOption): Flag[] {
  if (typeof long !== 'string') return []
  const choices = argChoices ?? choicesIn(long)
  return [{ name: long, description: firstSentence(description), takesValue: required, choices }]
}

/** The table of options knows the choices. */
function choicesIn(flag: string): readonly string[] {
  const option = Object.values(OPTIONS).find((candidate) => candidate.flag === flag)
  return option?.kind === 'choice' ? option.choices : []
}

function firstSentence(text: string): string {
  return (/^.*?[.;:](?= |$)/.exec(text)?.[0] ?? text).replace(/[.;:]$/, '')
}

function bashScript(commands: readonly Completed[]): string {
  const cases = commands.map(({ name, flags }) => {
    const words = flags.map((flag) => flag.name).join(' ')
    return `    ${name}) flags=${bashWord(words)} ;;`
  })
  const values = [...choicesOf(commands)].map(
    ([flag, choices]) =>
      `    ${flag}) COMPREPLY=( $(compgen -W ${bashWord(choices.join(' '))} -- "$word") ); return ;;`,
  )
  const taking = [...new Set(commands.flatMap(({ flags }) => flags.filter((flag) => flag.takesValue)))]
  const takers = [...new Set(taking.map(({ name }) => name))].filter((name) => !choicesOf(commands).has(name))
  return `# bash completion for pypet-ts
_pypet_ts() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}" flags=""
  COMPREPLY=()
  # To readline = is a word: --wrap-mode=l comes as three.
  if [ "$word" = = ]; then
    word=""
  elif [ "$before" = = ]; then
    before="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=( $(compgen -W ${bashWord(commands.map(({ name }) => name).join(' '))} -- "$word") )
    return
  fi
  case "$before" in
${values.join('\n')}
    # No word of ours: readline completes files, and quotes the blanks in their names.
    ${takers.join('|')}) return ;;
  esac
  case "$command" in
${cases.join('\n')}
  esac
  case "$word" in
    -*) COMPREPLY=( $(compgen -W "$flags" -- "$word") ) ;;
  esac
}
complete -o default -F _pypet_ts pypet-ts
`
}

function choicesOf(commands: readonly Completed[]): Map<string, readonly string[]> {
  const choices = new Map<string, readonly string[]>()
  for (const { flags } of commands)
    for (const flag of flags) if (flag.choices.length > 0) choices.set(flag.name, flag.choices)
  return choices
}

function bashWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function zshScript(commands: readonly Completed[]): string {
  const described = commands.map(
    ({ name, description }) => `    ${bashWord(`${name}:${zshText(description)}`)}`,
  )
  const cases = commands.map(({ name, flags }) => {
    const specs = flags.map((flag) => `        ${bashWord(zshSpec(flag))} \\`)
    return `    ${name})
      _arguments \\
${specs.join('\n')}
        '*:file:_files' ;;`
  })
  return `#compdef pypet-ts
# zsh completion for pypet-ts
_pypet_ts() {
  local -a commands
  commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
${cases.join('\n')}
  esac
}
_pypet_ts "$@"
`
}

function zshSpec({ name, description, takesValue, choices }: Flag): string {
  const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : takesValue ? ':value:_files' : ''
  return `${name}[${zshText(description)}]${value}`
}

function zshText(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&')
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ name, description, flags }) => [
    `complete -c pypet-ts -n __fish_use_subcommand -a ${name} -d ${bashWord(description)}`,
    ...flags.map((flag) => {
      const value =
        flag.choices.length > 0 ? ` -x -a ${bashWord(flag.choices.join(' '))}` : flag.takesValue ? ' -r' : ''
      const from = bashWord(`__fish_seen_subcommand_from ${name}`)
      return `complete -c pypet-ts -n ${from} -l ${flag.name.slice(2)}${value} -d ${bashWord(flag.description)}`
    }),
  ])
  return `# fish completion for pypet-ts\ncomplete -c pypet-ts -n __fish_use_subcommand -f\n${lines.join('\n')}\n`
}
