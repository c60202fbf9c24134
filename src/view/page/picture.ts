/** Pictures to take away: what is seen, with a title that says where it comes from. */
import type { Palette } from './colours.ts'
import { CanvasPen, type Pen, SvgPen } from './pen.ts'
import type { Plot, Size } from './plot.ts'

const HEAD_PX = 40
/** Pixels of a PNG for each pixel of the screen. */
const PNG_SCALE = 2

export interface PictureText {
  readonly title: string
  /** File, trajectory, filter. */
  readonly source: string
}

export async function savePicture(
  plot: Plot,
  size: Size,
  palette: Palette,
  { title, source }: PictureText,
  format: 'svg' | 'png',
): Promise<void> {
  const [width, height] = [Math.round(size.width), Math.round(size.height) + HEAD_PX]
  const name = `${title.replace(/[^\w.-]+/g, '-').slice(0, 80)}.${format}`
  const draw = (pen: Pen, move: (y: number) => void) => {
    pen.rectangle(0, 0, width, height, { colour: palette.paper })
    pen.text(title, 12, 14, { colour: palette.ink, isBold: true, widthMax: width - 24 })
    pen.text(source, 12, 30, { colour: palette.soft, widthMax: width - 24 })
    move(HEAD_PX)
    plot.draw(pen)
  }
  if (format === 'svg') {
    const pen = new SvgPen()
    draw(pen, (y) => pen.moveDown(y))
    download(name, new Blob([pen.document(width, height)], { type: 'image/svg+xml' }))
    return
  }
  const canvas = document.createElement('canvas')
  canvas.width = width * PNG_SCALE
  canvas.height = height * PNG_SCALE
  const context = canvas.getContext('2d')
  if (context === null) return
  context.scale(PNG_SCALE, PNG_SCALE)
  draw(new CanvasPen(context), (y) => context.translate(0, y))
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'))
  if (blob !== null) download(name, blob)
}

export function download(name: string, blob: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
