// Images of the run's data, small: a click opens one on the Image page.
import { html } from "./html.js";
import { link, other } from "./state.js";
import { t } from "./i18n.js";
import { path } from "./api.js";

/**
 * images: [{row, file, …}]; row −1: it is no longer in the data. caption and below: the texts under each image, the
 * second outside of the link.
 */
export const Thumbs = ({ run, images, caption, below }) => html`
  <div class=${below ? "probes wide" : "probes"}>
    ${images.map(
      (one) => html`
        <figure class="probe" key=${one.row}>
          ${
            one.row < 0
              ? html`<span>${t("thumb.gone")}</span>`
              : html`
                <a href=${link({ page: "image", ...other(`row-${one.row}`) })} title=${one.file}>
                  <img loading="lazy" alt=${one.file} src=${path(run, "/look/thumb", { row: one.row })} />
                </a>
              `
          }
          ${caption(one)}
          ${below && below(one)}
        </figure>
      `,
    )}
  </div>
`;
