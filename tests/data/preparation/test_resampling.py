"""Resizing against the definition of each interpolation, written with loops."""

from __future__ import annotations

import numpy as np
import pytest

from graphprobe.data.preparation.resampling import INTERPOLATIONS, resized

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)


def linear(image, height, width):
    """Between the four pixels around a point, those on an edge repeated."""
    found = np.zeros((height, width, 3))
    for y in range(height):
        for x in range(width):
            at = (
                (y + 0.5) * image.shape[0] / height - 0.5,
                (x + 0.5) * image.shape[1] / width - 0.5,
            )
            low = np.floor(at).astype(int)
            for i in (0, 1):
                for j in (0, 1):
                    share = abs(1 - i - (at[0] - low[0])) * abs(1 - j - (at[1] - low[1]))
                    row = min(max(low[0] + i, 0), image.shape[0] - 1)
                    column = min(max(low[1] + j, 0), image.shape[1] - 1)
                    found[y, x] += share * image[row, column]
    return found


@pytest.mark.parametrize("size", [(5, 6), (20, 31), (3, 28)])
def test_bilinear_looks_at_four_pixels_however_far_an_image_shrinks(size):
    found = resized(IMAGE, *size, "bilinear")
    assert found.dtype == np.uint8 and found.shape == (*size, 3)
    assert np.abs(found - linear(IMAGE, *size)).max() <= 0.51


def test_area_is_the_mean_of_what_a_pixel_covers():
    fine = np.repeat(np.repeat(IMAGE, 4, 0), 4, 1).astype(float)  # 36 x 56 for 9 x 14
    mean = fine.reshape(6, 6, 8, 7, 3).mean((1, 3))
    np.testing.assert_allclose(resized(IMAGE, 6, 8, "area"), mean, atol=0.51)


def test_nearest_takes_pixels_as_they_are():
    found = resized(IMAGE, 18, 7, "nearest")
    np.testing.assert_array_equal(found, IMAGE[np.arange(18) // 2][:, np.arange(7) * 2])


@pytest.mark.parametrize("how", INTERPOLATIONS)
def test_flat_images_stay_flat_and_equal_sizes_change_nothing(how):
    flat = np.full((9, 14, 3), 137, np.uint8)
    for size in ((4, 5), (30, 40)):
        np.testing.assert_array_equal(resized(flat, *size, how), np.full((*size, 3), 137))
    np.testing.assert_array_equal(resized(IMAGE, 9, 14, how), IMAGE)


def test_cubic_is_that_of_opencv_and_not_of_pillow():
    """Enlarged twofold, the points are 1/4 and 3/4 past a pixel: Keys' weights with a = -0.75."""
    row = np.zeros((1, 9, 3), np.uint8)
    row[0, 4] = 200
    weights = np.array([-0.10546875, 0.87890625, 0.26171875, -0.03515625])
    found = resized(row, 1, 18, "bicubic")[0, :, 0]
    expected = np.clip(np.rint(200 * weights[[3, 2, 1, 0]]), 0, 255)
    np.testing.assert_array_equal(found[[5, 7, 9, 11]], expected)
