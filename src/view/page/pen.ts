/** Draws a picture on a canvas or into an SVG: the same lines, so that what is saved is what is seen. */
import { escapeXml } from './escape-xml.ts'

export interface Pen {
  line(points: readonly number[], style: Stroke): void
  rectangle(x: number, y: number, width: number, height: number, style: Fill): void
  circle(x: number, y: number, radius: number, style: Fill): void
  text(text: string, x: number, y: number, style: Letters): void
  /** Pixels of RGBA, stretched to a rectangle. */
  image(pixels: Pixels, x: number, y: number, width: number, height: number): void
}

export interface Stroke {
  readonly colour: string
  readonly width?: number
  readonly opacity?: number
}

export interface Fill {
  readonly colour: string
  readonly opacity?: number
}

export interface Letters {
  readonly colour: string
  readonly align?: 'start' | 'middle' | 'end'
  readonly isBold?: boolean
  /** Reads from bottom to top. */
  readonly isUpright?: boolean
  /** Longer texts are cut. */
  readonly widthMax?: number
}

export interface Pixels {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8ClampedArray<ArrayBuffer>
}

const FONT_PX = 11
const FONT = 'system-ui, sans-serif'
/** Of a letter, about. */
const LETTER_PX = 6

export class CanvasPen implements Pen {
  readonly #context: CanvasRenderingContext2D

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context
  }

  line(points: readonly number[], { colour, width = 1, opacity = 1 }: Stroke): void {
    const context = this.#context
    context.globalAlpha = opacity
    context.strokeStyle = colour
    context.lineWidth = width
    context.lineJoin = 'round'
    context.beginPath()
    for (let at = 0; at < points.length; at += 2) {
      context.lineTo(points[at] as number, points[at + 1] as number)
    }
    context.stroke()
    context.globalAlpha = 1
  }

  rectangle(x: number, y: number, width: number, height: number, { colour, opacity = 1 }: Fill): void {
    const context = this.#context
    context.globalAlpha = opacity
    context.fillStyle = colour
    context.fillRect(x, y, width, height)
    context.globalAlpha = 1
  }

  circle(x: number, y: number, radius: number, { colour, opacity = 1 }: Fill): void {
    const context = this.#context
    context.globalAlpha = opacity
    context.fillStyle = colour
    context.beginPath()
    context.arc(x, y, radius, 0, 2 * Math.PI)
    context.fill()
    context.globalAlpha = 1
  }

  text(text: string, x: number, y: number, style: Letters): void {
    const context = this.#context
    context.save()
    context.fillStyle = style.colour
    context.font = `${style.isBold ? '600 ' : ''}${FONT_PX}px ${FONT}`
    context.textAlign = style.align === 'middle' ? 'center' : (style.align ?? 'start')
    context.textBaseline = 'middle'
    context.translate(x, y)
    if (style.isUpright) context.rotate(-Math.PI / 2)
    context.fillText(cutTo(text, style.widthMax), 0, 0)
    context.restore()
  }

  image(pixels: Pixels, x: number, y: number, width: number, height: number): void {
    this.#context.imageSmoothingEnabled = false
    this.#context.drawImage(canvasOf(pixels), x, y, width, height)
  }
}

export class SvgPen implements Pen {
  readonly #parts: string[] = []
  #openCount = 0

  line(points: readonly number[], { colour, width = 1, opacity = 1 }: Stroke): void {
    const places: string[] = []
    for (let at = 0; at < points.length; at += 2) {
      places.push(`${round(points[at] as number)},${round(points[at + 1] as number)}`)
    }
    this.#parts.push(
      `<polyline points="${places.join(' ')}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-opacity="${opacity}"/>`,
    )
  }

  rectangle(x: number, y: number, width: number, height: number, { colour, opacity = 1 }: Fill): void {
    this.#parts.push(
      `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${colour}" fill-opacity="${opacity}"/>`,
    )
  }

  circle(x: number, y: number, radius: number, { colour, opacity = 1 }: Fill): void {
    this.#parts.push(
      `<circle cx="${round(x)}" cy="${round(y)}" r="${radius}" fill="${colour}" fill-opacity="${opacity}"/>`,
    )
  }

  text(text: string, x: number, y: number, style: Letters): void {
    const turn = style.isUpright ? ` transform="rotate(-90 ${round(x)} ${round(y)})"` : ''
    this.#parts.push(
      `<text x="${round(x)}" y="${round(y)}" fill="${style.colour}" text-anchor="${style.align ?? 'start'}"` +
        `${style.isBold ? ' font-weight="600"' : ''} dominant-baseline="central"${turn}>` +
        `${escapeXml(cutTo(text, style.widthMax))}</text>`,
    )
  }

  image(pixels: Pixels, x: number, y: number, width: number, height: number): void {
    this.#parts.push(
      `<image x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"` +
        ` preserveAspectRatio="none" image-rendering="pixelated" href="${canvasOf(pixels).toDataURL('image/png')}"/>`,
    )
  }

  /** What follows is lower by this. */
  moveDown(y: number): void {
    this.#parts.push(`<g transform="translate(0 ${round(y)})">`)
    this.#openCount += 1
  }

  document(width: number, height: number): string {
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"` +
      ` font-family="${FONT}" font-size="${FONT_PX}">${this.#parts.join('\n')}${'</g>'.repeat(this.#openCount)}</svg>\n`
    )
  }
}

function canvasOf({ width, height, rgba }: Pixels): HTMLCanvasElement {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  canvas.getContext('2d')?.putImageData(new ImageData(rgba, width, height), 0, 0)
  return canvas
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

function cutTo(text: string, widthMax: number | undefined): string {
  if (widthMax === undefined || text.length * LETTER_PX <= widthMax) return text
  return `${text.slice(0, Math.max(1, Math.floor(widthMax / LETTER_PX) - 1))}…`
}
