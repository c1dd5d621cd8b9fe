// Run in the page: each visible piece of text, with the contrast to what is behind it.
// https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  /** The red, green and blue (0 to 255) of colours laid over one another, the first at the bottom. */
  const blend = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };

  /** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
  const luminance = (channels) => {
    const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    const [red, green, blue] = channels.map((value) => linear(value / 255));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };

  const behind = (element) => {
    const layers = [];
    for (let at = element; at !== null; at = at.parentElement) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    return layers;
  };

  const contrast = (element) => {
    const back = behind(element);
    const front = [...back, getComputedStyle(element).color];
    const [darker, lighter] = [luminance(blend(front)), luminance(blend(back))].sort((a, b) => a - b);
    return (lighter + 0.05) / (darker + 0.05);
  };

  /** A control that is disabled is exempt: WCAG 1.4.3, "inactive user interface component". */
  const counts = (element) =>
    element.checkVisibility() &&
    element.getBoundingClientRect().width > 1 &&
    element.closest(":disabled, .visually-hidden") === null;

  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode.data.trim();
    const element = texts.currentNode.parentElement;
    if (text !== "" && counts(element)) found.push([text.slice(0, 40), contrast(element)]);
  }
  return found;
};
