"""One file per panel of the page. No panel knows another; `vlm_core.app.page` connects them."""
