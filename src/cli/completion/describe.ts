import type { Command } from 'commander'

/** `pypet-ts completion <shell>`: prints a script that completes the command line in a shell. */
export function describeCompletion(program: Command): void {
  program
    .command('completion')
    .description('Print a script that completes commands, flags and values in your shell.')
    .argument('<shell>', 'bash, zsh or fish')
    .addHelpText('after', COMPLETION_EXAMPLES)
    .action(async (shell: string) => {
      const { completionScript } = await import('./perform.ts')
      process.stdout.write(completionScript(program, shell))
    })
}

const COMPLETION_EXAMPLES = `
Examples:
  $ pypet-ts completion bash >> ~/.bashrc
  $ pypet-ts completion zsh > ~/.zfunc/_pypet-ts
  $ pypet-ts completion fish > ~/.config/fish/completions/pypet-ts.fish

Shells that are opened afterwards complete. For zsh the folder must stand in
fpath before compinit is called: fpath+=~/.zfunc in ~/.zshrc.`
