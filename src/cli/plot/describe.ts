/** How `pypet-ts plot` is called. */
import type { Command } from 'commander'
import { addOptions, trajectoryOption } from '../options.ts'
import type { PlotFlags } from './perform.ts'

export function describePlot(program: Command): void {
  const command = program
    .command('plot')
    .description('Draw results over parameters, on the terminal or as a picture.')
    .argument('<file>', 'HDF5 file, written by pypet-ts or pypet')
  addOptions(command, [
    trajectoryOption(command),
    command.createOption('--x <column>', 'Horizontal axis. Default: an explored parameter.'),
    command.createOption('--y <column>', 'Vertical axis. Default: the first numeric result.'),
    command.createOption('--color <column>', 'What colours show: a line each, or a scale.'),
    command.createOption('--facet <column>', 'A panel for each value of this column.'),
    command.createOption('--kind <kind>', 'line, scatter, heatmap, histogram or parallel.'),
    command.createOption('--where <condition>', "Draw only runs where this is true: 'x > 3'."),
    command.createOption('--to <file>', 'Write a picture instead: fig.svg or fig.html.'),
    command.createOption('--force', 'Replace an existing picture.'),
    command.createOption('--verbose', 'Print error stacks.'),
  ])
    .addHelpText('after', PLOT_EXAMPLES)
    .action(async (file: string, flags: PlotFlags) => {
      const { plotCommand } = await import('./perform.ts')
      await plotCommand(file, flags, process.stdout)
    })
}

const PLOT_EXAMPLES = `
Without options, the explored parameters decide: one numeric parameter gives a
line with the spread of repeats, two give a heatmap, more give parallel
coordinates. Arrays are drawn as lines.

Examples:
  $ pypet-ts plot hdf5/job.h5
  $ pypet-ts plot hdf5/job.h5 --x tau --y rate --color method
  $ pypet-ts plot hdf5/job.h5 --kind histogram --x runtime
  $ pypet-ts plot hdf5/job.h5 --where 'x > 3' --to fig.svg`
